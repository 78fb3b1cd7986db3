using NativeConv.Kernels;
using NativeConv.Operators;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>Activation functions and softmax on spans.</summary>
public static unsafe class Activations
{
    /// <summary>Writes y = f(x).</summary>
    /// <param name="function">The function.</param>
    /// <param name="x">Values.</param>
    /// <param name="y">As many, overwritten; may be x.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there is no such function.</exception>
    public static void Forward(Activation function, ReadOnlySpan<float> x, Span<float> y, ExecutionOptions? execution = null)
    {
        Require.Length(y, x.Length, nameof(y));
        fixed (float* from = x, to = y)
            SpanCall.Run(new FunctionWork(function, from, null, to), x.Length, execution);
    }

    /// <summary>Writes dx = dy f'(x).</summary>
    /// <param name="function">The function.</param>
    /// <param name="x">What went forward.</param>
    /// <param name="dy">The loss's gradient by y.</param>
    /// <param name="dx">As many, overwritten; may be dy.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there is no such function.</exception>
    public static void Backward(Activation function, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, ExecutionOptions? execution = null)
    {
        Require.Length(dy, x.Length, nameof(dy));
        Require.Length(dx, x.Length, nameof(dx));
        fixed (float* from = x, gradient = dy, to = dx)
            SpanCall.Run(new FunctionWork(function, from, gradient, to), x.Length, execution);
    }

    /// <summary>Writes each row's softmax, e^zₖ / Σ e^zⱼ, stable for any finite logit.</summary>
    /// <param name="logits">[n, classes].</param>
    /// <param name="classes">Values a row.</param>
    /// <param name="probabilities">[n, classes], overwritten; may be the logits.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Softmax(ReadOnlySpan<float> logits, int classes, Span<float> probabilities, ExecutionOptions? execution = null)
    {
        Require.Positive(classes, nameof(classes));
        int rows = Require.Images(logits, classes, nameof(logits));
        Require.Length(probabilities, logits.Length, nameof(probabilities));
        fixed (float* from = logits, to = probabilities)
            SpanCall.Run(new SoftmaxWork(classes, from, to), rows, execution);
    }

    private readonly struct SoftmaxWork(int classes, float* from, float* to) : IImageWork
    {
        public void Run<TVector>(int first, int count)
            where TVector : struct, IVector<TVector> =>
            SoftmaxCrossEntropyKernel.Softmax<TVector>(from + ((nint)first * classes), to + ((nint)first * classes), count, classes);
    }

    private readonly struct FunctionWork(Activation function, float* x, float* dy, float* to) : IImageWork
    {
        public void Run<TVector>(int first, int count)
            where TVector : struct, IVector<TVector> => ActivationDispatch.Run<Bound<TVector>, int>(function, new(this, first, count));

        private readonly struct Bound<TVector>(FunctionWork work, int first, int count) : IActivationWork<int>
            where TVector : struct, IVector<TVector>
        {
            public int Run<TActivation>()
                where TActivation : struct, IActivation
            {
                if (work.Dy == null)
                    ActivationKernel.Forward<TVector, TActivation>(work.X + first, work.To + first, count);
                else
                    ActivationKernel.Backward<TVector, TActivation>(work.X + first, work.Dy + first, work.To + first, count);

                return count;
            }
        }

        private float* X => x;

        private float* Dy => dy;

        private float* To => to;
    }
}
