using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv.Layers;

/// <summary>
/// Batch normalization and the rectifier behind it, if any, where a max-pooling of 2x2 windows that cover the image alone reads them. It takes statistics and pools while its input is in a cache: its output is what wins, a
/// quarter of the values. The pooling's node normalizes that behind the barrier, and does so again where backward needs what it gave. The gradient is the pooling's own, and reaches the winners alone.
/// </summary>
internal sealed unsafe class PooledNormalizationProgram<TVector, TActivation> : BatchNormalizationProgram<TVector, TActivation>
    where TVector : struct, IVector<TVector>
    where TActivation : struct, IActivation
{
    private readonly NodeBinding _pooling;

    public PooledNormalizationProgram(NodeBinding node, BatchNormalization layer)
        : base(node, layer)
    {
        _pooling = node.Pooling!;
        _pooling.ProgramInPlace = new PooledValues(_pooling, this);
    }

    public override BackwardReads BackwardReads => BackwardReads.Inputs | BackwardReads.Output;

    /// <summary>The sums need the winners, the input's gradient every cell.</summary>
    public override BackwardReads BackwardReadsIn(int phase) => phase < BackwardPhases - 1 ? BackwardReads.Output : BackwardReads.Inputs;

    public override bool CanRunForwardAgain => false;

    /// <summary>The barrier behind the statistics is the pooling's.</summary>
    public override int ForwardPhases => 1;

    private int Width => Binding.OutputShape.Width;

    public override void Forward(int phase, in Work work)
    {
        base.Forward(phase, work);
        PooledNormalizationKernel.Pool<TVector>(
            Binding.Inputs[0].At(work), Binding.Parameters[0].Value, Binding.Output.At(work), _pooling.WinnersOf(work.First), WindowRows(work), Width, Channels);
    }

    public override void Backward(int phase, in Work work)
    {
        float* dy = Binding.OutputGradient.At(work);
        if (phase < BackwardPhases - 1)
        {
            SumBackward(Binding.Output.At(work), dy, _pooling.OutputShape.Pixels, work);
            return;
        }

        if (!Binding.InputGradients[0].IsNull)
        {
            PooledNormalizationKernel.BackwardInput<TVector, TActivation>(
                Binding.Inputs[0].At(work), dy, _pooling.WinnersOf(work.First), Mean, Scale, Beta, Slope, Offset, Binding.InputGradients[0].At(work), WindowRows(work), Width, Channels, IsLarge);
        }
    }

    /// <summary>Images lie side by side, and windows cover them.</summary>
    private int WindowRows(in Work work) => work.Count * _pooling.OutputShape.Height;

    /// <summary>The pooling's output, from what won. Its backward is the normalization's.</summary>
    private sealed class PooledValues(NodeBinding pooling, PooledNormalizationProgram<TVector, TActivation> normalization) : LayerProgram
    {
        private readonly bool _isLarge = LeavesCaches(pooling);

        public override int ForwardPhases => 2;

        /// <summary>What runs again has its inputs until then: the normalization reads them.</summary>
        public override BackwardReads BackwardReads => BackwardReads.Inputs;

        public override bool CanRunForwardAgain => true;

        public override void Forward(int phase, in Work work)
        {
            if (phase == 0)
                return;

            BatchNormalizationKernel.Normalize<TVector, TActivation>(
                pooling.Inputs[0].At(work), normalization.Mean, normalization.Scale, normalization.Beta, pooling.Output.At(work), (nint)work.Count * pooling.OutputShape.Pixels, normalization.Channels, _isLarge);
        }

        public override void ForwardBarrier(int phase, int images) => normalization.ForwardBarrier(phase, images);

        public override void Backward(int phase, in Work work)
        {
        }
    }
}
