using NativeConv.Kernels;
using NativeConv.Optimizers;
using NativeConv.Simd;
using NativeConv.Tensors;
using NativeConv.Threading;

namespace NativeConv.Graph;

/// <summary>Lets an optimizer change a model's parameters, all in one sweep, unless a gradient is not finite. Few parameters are the caller's thread's alone.</summary>
internal sealed unsafe class ParameterUpdate : IPhasedWork
{
    /// <summary>Values that a worker takes at once, whole blocks of what <see cref="GradientKernel.SumOfSquares"/> adds up: some ten microseconds of Adam.</summary>
    private const int PartLength = 8 * GradientKernel.Block;

    private const int Norm = 0, Change = 1;

    private readonly ParameterStore _store;
    private readonly Optimizer _optimizer;
    private readonly GradientClipping? _clipping;
    private readonly WorkerTeam _team;
    private readonly float[] _factors;

    // A block's each, added up in order, whoever worked it out.
    private readonly double[] _squares;
    private double _norm;
    private bool _isFinite;

    /// <param name="store">The parameters.</param>
    /// <param name="optimizer">How they are changed.</param>
    /// <param name="options">The vector width and the threads.</param>
    /// <param name="clipping">Bounds on the gradients; null for none.</param>
    /// <param name="rates">Factors on the learning rate by patterns of names; the last that matches holds.</param>
    public ParameterUpdate(ParameterStore store, Optimizer optimizer, ExecutionOptions options, GradientClipping? clipping, IReadOnlyList<(string Pattern, float Factor)> rates)
    {
        (_store, _optimizer, Options, _clipping) = (store, optimizer, options, clipping);
        _team = new(this);
        _factors = LearningRates.Factors(store, rates);
        _squares = new double[(store.Gradients.Length + GradientKernel.Block - 1) / GradientKernel.Block];
        State = new(optimizer.MomentCount, store.Values.Length);
    }

    public Optimizer Optimizer => _optimizer;

    public OptimizerState State { get; }

    /// <summary>The vector width and the threads.</summary>
    public ExecutionOptions Options { get; set; }

    /// <summary>The learning rate; the optimizer's own where null.</summary>
    public float? LearningRate { get; set; }

    private int Parts => (_store.Gradients.Length + PartLength - 1) / PartLength;

    /// <summary>Changes the parameters, or nothing where the loss or the norm of the gradients is not finite.</summary>
    public bool TryApply(float loss)
    {
        if (!float.IsFinite(loss))
            return false;

        // Two parts for each worker at least: a fork takes as long as one.
        _team.Run(Math.Clamp(Parts / 2, 1, Options.ThreadCount), Norm, Change + 1);
        return _isFinite;
    }

    int IPhasedWork.Begin(int phase)
    {
        if (phase == Norm)
            return Parts;

        double total = 0;
        foreach (double squares in _squares)
            total += squares;

        _norm = Math.Sqrt(total);
        _isFinite = double.IsFinite(_norm);
        if (!_isFinite)
            return 0;

        State.TimeStep++;
        return Parts;
    }

    void IPhasedWork.Run(int phase, int part, int worker) => SimdLevels.Dispatch<Work, bool>(Options.Level, new(this, phase, part));

    private void AddSquares<TVector>(int first, int end)
        where TVector : struct, IVector<TVector>
    {
        for (int at = first; at < end; at += GradientKernel.Block)
            _squares[at / GradientKernel.Block] = GradientKernel.SumOfSquares<TVector>(_store.Gradients.Pointer + at, Math.Min(GradientKernel.Block, end - at));
    }

    private void Apply<TVector>(int first, int end)
        where TVector : struct, IVector<TVector>
    {
        float* gradients = _store.Gradients.Pointer;
        _clipping?.Apply<TVector>(gradients + first, end - first, _norm);
        for (int i = 0; i < _factors.Length; i++)
        {
            (int offset, Parameter parameter) = _store.Trained[i];
            int start = Math.Max(first, offset), stop = Math.Min(end, offset + (int)AlignedMemory.RoundUp(parameter.Value.Length));
            if (start >= stop || parameter.IsFrozen)
                continue;

            var run = new ParameterRun(stop - start, parameter.Role == ParameterRole.Kernel)
            {
                Weights = _store.Values.Pointer + start,
                Gradient = gradients + start,
                First = State.Moment(0, start),
                Second = State.Moment(1, start),
            };
            _optimizer.Apply<TVector>(run, (LearningRate ?? _optimizer.LearningRate) * _factors[i], State.TimeStep);
        }
    }

    private readonly struct Work(ParameterUpdate update, int phase, int part) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            int first = part * PartLength, end = first + Math.Min(PartLength, update._store.Gradients.Length - first);
            if (phase == Norm)
                update.AddSquares<TVector>(first, end);
            else
                update.Apply<TVector>(first, end);

            return true;
        }
    }
}
