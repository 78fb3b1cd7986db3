using NativeConv.Kernels;
using NativeConv.Optimizers;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>Lets an optimizer change a model's parameters, all in one sweep, unless a gradient is not finite.</summary>
/// <param name="store">The parameters.</param>
/// <param name="optimizer">How they are changed.</param>
/// <param name="level">The vector width.</param>
/// <param name="clipping">Bounds on the gradients; null for none.</param>
/// <param name="rates">Factors on the learning rate by patterns of names; the last that matches holds.</param>
internal sealed unsafe class ParameterUpdate(
    ParameterStore store, Optimizer optimizer, SimdLevel level, GradientClipping? clipping, IReadOnlyList<(string Pattern, float Factor)> rates)
{
    private readonly float[] _factors = LearningRates.Factors(store, rates);

    public Optimizer Optimizer => optimizer;

    public OptimizerState State { get; } = new(optimizer.MomentCount, store.Values.Length);

    /// <summary>The learning rate; the optimizer's own where null.</summary>
    public float? LearningRate { get; set; }

    /// <summary>Changes the parameters, or nothing where the loss or the norm of the gradients is not finite.</summary>
    public bool TryApply(float loss) => float.IsFinite(loss) && SimdLevels.Dispatch<Work, bool>(level, new(this));

    private bool Apply<TVector>()
        where TVector : struct, IVector<TVector>
    {
        float* gradients = store.Gradients.Pointer, values = store.Values.Pointer;
        double norm = Math.Sqrt(GradientKernel.SumOfSquares<TVector>(gradients, store.Gradients.Length));
        if (!double.IsFinite(norm))
            return false;

        clipping?.Apply<TVector>(gradients, store.Gradients.Length, norm);
        State.TimeStep++;
        for (int i = 0; i < _factors.Length; i++)
        {
            (int offset, Parameter parameter) = store.Trained[i];
            if (parameter.IsFrozen)
                continue;

            var run = new ParameterRun((nint)AlignedMemory.RoundUp(parameter.Value.Length), parameter.Role == ParameterRole.Kernel)
            {
                Weights = values + offset,
                Gradient = gradients + offset,
                First = State.Moment(0, offset),
                Second = State.Moment(1, offset),
            };
            optimizer.Apply<TVector>(run, (LearningRate ?? optimizer.LearningRate) * _factors[i], State.TimeStep);
        }

        return true;
    }

    private readonly struct Work(ParameterUpdate update) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector> => update.Apply<TVector>();
    }
}
