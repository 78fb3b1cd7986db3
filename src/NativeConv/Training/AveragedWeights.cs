using NativeConv.Graph;
using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv.Training;

/// <summary>The running average of a model's weights and running statistics, which can take the model's place for a while.</summary>
internal sealed unsafe class AveragedWeights(Model model, WeightAveraging settings)
{
    private readonly ParameterStore _weights = model.Store, _average = model.Clone().Store;
    private readonly SimdLevel _level = model.Execution.Level;
    private bool _shown;

    /// <summary>The average of each parameter, while the model holds the weights.</summary>
    public IReadOnlyList<Parameter> Parameters => _average.All;

    /// <summary>Takes in the weights after a step, from 1.</summary>
    public void Add(long step)
    {
        if (step == 1)
            _weights.CopyTo(_average);
        else
            SimdLevels.Dispatch<Work, bool>(_level, new(this, settings.Rate(step)));
    }

    /// <summary>Puts the average into the model and keeps the weights.</summary>
    public void Show() => Swap(shown: true);

    /// <summary>Puts the weights back.</summary>
    public void Hide() => Swap(shown: false);

    private void Swap(bool shown)
    {
        if (_shown == shown)
            return;

        _shown = shown;
        Swap(_weights.Values.Span, _average.Values.Span);
        Swap(_weights.State.Span, _average.State.Span);
    }

    private static void Swap(Span<float> a, Span<float> b)
    {
        for (int i = 0; i < a.Length; i++)
            (a[i], b[i]) = (b[i], a[i]);
    }

    private readonly struct Work(AveragedWeights owner, float rate) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            ParameterStore weights = owner._weights, average = owner._average;
            AverageKernel.Run<TVector>(weights.Values.Pointer, average.Values.Pointer, weights.Values.Length, rate);
            AverageKernel.Run<TVector>(weights.State.Pointer, average.State.Pointer, weights.State.Length, rate);
            return true;
        }
    }
}
