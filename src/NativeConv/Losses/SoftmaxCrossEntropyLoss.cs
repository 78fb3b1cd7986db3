using System.Globalization;
using NativeConv.Kernels;

namespace NativeConv.Losses;

/// <inheritdoc cref="Loss.SoftmaxCrossEntropy"/>
internal sealed class SoftmaxCrossEntropyLoss(float smoothing, float[] classWeights) : Loss
{
    public override string ToString()
    {
        string weights = string.Join(", ", classWeights.Select(weight => weight.ToString(CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture, $"SoftmaxCrossEntropy(labelSmoothing: {smoothing}, classWeights: [{weights}])");
    }

    internal override void RequireClasses(int classes)
    {
        if (classWeights.Length > 0 && classWeights.Length != classes)
            throw new ArgumentException($"The loss has weights for {classWeights.Length} classes, but there are {classes} outputs.");
    }

    internal override unsafe void Run<TVector>(float* outputs, int* labels, float* losses, float* gradient, int rows, int classes, float scale)
    {
        if (classWeights.Length == 0)
        {
            SoftmaxCrossEntropyKernel.Run<TVector>(outputs, labels, losses, gradient, rows, classes, smoothing, scale);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            nint first = (nint)row * classes;
            float weight = classWeights[labels[row]];
            SoftmaxCrossEntropyKernel.Run<TVector>(
                outputs + first, labels + row, losses + row, gradient == null ? null : gradient + first, 1, classes, smoothing, scale * weight);
            losses[row] *= weight;
        }
    }
}
