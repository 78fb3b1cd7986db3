using NativeConv.Losses;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>What training minimizes: a mean over images of how far their outputs are from their labels.</summary>
public abstract class Loss
{
    private protected Loss()
    {
    }

    /// <summary>
    /// Softmax cross-entropy on logits: the mean of log Σₖ e^zₖ - Σₖ qₖ zₖ, where the target q is 1 at the label, or with smoothing s
    /// (Szegedy et al., 2016) 1 - s there and s / classes more everywhere.
    /// </summary>
    /// <param name="labelSmoothing">The part of the target that is spread over all classes, from 0 to below 1.</param>
    /// <param name="classWeights">
    /// What an image of each class counts, as a factor on its loss and gradient; 1 for all where null. The mean is still taken over the number of images, as in Keras
    /// (PyTorch divides by the sum of their weights), so weights whose mean over the images is 1 keep the scale: <see cref="ClassWeights.Balanced"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The smoothing is outside.</exception>
    /// <exception cref="ArgumentException">A weight is negative or not finite, or none is above 0.</exception>
    public static Loss SoftmaxCrossEntropy(float labelSmoothing = 0, IReadOnlyList<float>? classWeights = null)
    {
        if (labelSmoothing is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Label smoothing must be at least 0 and below 1.");

        for (int c = 0; c < classWeights?.Count; c++)
        {
            if (!(classWeights[c] >= 0) || !float.IsFinite(classWeights[c]))
                throw new ArgumentException($"A class's weight must be finite and not negative, but class {c} has {classWeights[c]}.", nameof(classWeights));
        }

        return classWeights == null || classWeights.Any(weight => weight > 0)
            ? new SoftmaxCrossEntropyLoss(labelSmoothing, classWeights == null ? [] : [.. classWeights])
            : throw new ArgumentException("At least one class must have a weight above 0.", nameof(classWeights));
    }

    /// <summary>The mean loss of a batch.</summary>
    /// <param name="outputs">The model's outputs, [n, classes].</param>
    /// <param name="labels">[n], each the number of a class.</param>
    /// <exception cref="ArgumentException">The lengths do not agree, or a label names no output.</exception>
    public float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> labels) => Evaluate(outputs, labels, []);

    /// <summary>The mean loss of a batch, and its gradient by the outputs.</summary>
    /// <param name="outputs">The model's outputs, [n, classes].</param>
    /// <param name="labels">[n], each the number of a class.</param>
    /// <param name="gradient">[n, classes], overwritten; empty for none.</param>
    /// <exception cref="ArgumentException">The lengths do not agree, or a label names no output.</exception>
    public float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> labels, Span<float> gradient) => Evaluate(outputs, labels, gradient, SimdLevels.Default);

    internal unsafe float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> labels, Span<float> gradient, SimdLevel level)
    {
        if (labels.IsEmpty || outputs.IsEmpty || outputs.Length % labels.Length != 0)
            throw new ArgumentException($"{labels.Length} labels need a row of outputs each, but got {outputs.Length} values.", nameof(outputs));

        if (!gradient.IsEmpty && gradient.Length != outputs.Length)
            throw new ArgumentException($"The gradient must hold {outputs.Length} values like the outputs, but holds {gradient.Length}.", nameof(gradient));

        int classes = outputs.Length / labels.Length;
        RequireClasses(classes);
        foreach (int label in labels)
        {
            if ((uint)label >= (uint)classes)
                throw new ArgumentException($"Labels must be 0 to {classes - 1}, but one is {label}.", nameof(labels));
        }

        float[] losses = new float[labels.Length];
        fixed (float* z = outputs, l = losses, d = gradient)
        fixed (int* y = labels)
            SimdLevels.Dispatch<RowsWork, int>(level, new(this, z, y, l, d, labels.Length, classes));

        return Mean(losses);
    }

    /// <summary>The mean, summed as a binary tree over the images; overwrites them.</summary>
    internal static float Mean(Span<float> losses)
    {
        for (int step = 1; step < losses.Length; step *= 2)
        {
            for (int i = 0; i + step < losses.Length; i += 2 * step)
                losses[i] += losses[i + step];
        }

        return losses[0] / losses.Length;
    }

    /// <summary>Refuses a number of outputs that the loss is not made for.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    internal abstract void RequireClasses(int classes);

    /// <summary>Writes each row's loss, and unless null its gradient times the scale.</summary>
    internal abstract unsafe void Run<TVector>(float* outputs, int* labels, float* losses, float* gradient, int rows, int classes, float scale)
        where TVector : struct, IVector<TVector>;

    private readonly unsafe struct RowsWork(Loss loss, float* outputs, int* labels, float* losses, float* gradient, int rows, int classes) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            loss.Run<TVector>(outputs, labels, losses, gradient, rows, classes, 1f / rows);
            return rows;
        }
    }
}
