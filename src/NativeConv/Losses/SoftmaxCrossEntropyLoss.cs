using NativeConv.Kernels;

namespace NativeConv.Losses;

/// <inheritdoc cref="Loss.SoftmaxCrossEntropy"/>
internal sealed class SoftmaxCrossEntropyLoss(float smoothing) : Loss
{
    internal override unsafe void Run<TVector>(float* outputs, int* labels, float* losses, float* gradient, int rows, int classes, float scale) =>
        SoftmaxCrossEntropyKernel.Run<TVector>(outputs, labels, losses, gradient, rows, classes, smoothing, scale);
}
