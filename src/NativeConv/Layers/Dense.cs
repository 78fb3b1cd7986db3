using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv;

/// <summary>
/// A fully connected layer: y[o] = b[o] + sum over i of x[i] * w[i, o], where x is the image flattened in height, width, channel order. Input of any shape,
/// output [1, 1, units]; kernel [height*width*channels, units], bias [units].
/// </summary>
public sealed class Dense : Layer
{
    /// <summary>Describes a dense layer.</summary>
    /// <param name="units">Outputs.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no unit.</exception>
    public Dense(int units)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        Units = units;
    }

    /// <inheritdoc/>
    public override string Kind => "dense";

    /// <summary>Outputs.</summary>
    public int Units { get; }

    /// <summary>Whether a bias is added.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>How the kernel starts; null for Glorot uniform, or He normal where a ReLU follows.</summary>
    public Initializer? KernelInitializer { get; init; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => new(1, 1, Units);

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs)
    {
        int length = inputs[0].Length;
        var kernel = new ParameterDescription("kernel", new(length, Units), ParameterRole.Kernel, KernelInitializer, length, Units);
        return UseBias ? [kernel, new("bias", new(Units), ParameterRole.Bias)] : [kernel];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => (long)inputs[0].Length * Units;

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => new(new(inputs[0].Height, inputs[0].Width), 1);

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("units", Units);
        configuration.Set("bias", UseBias);
    }

    internal static Dense From(LayerConfiguration configuration) =>
        new(configuration.Int32("units")) { UseBias = configuration.Boolean("bias") };

    internal override Layer WithBias() => WithBias(From);

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program<TVector>(binding, UseBias);

    private sealed unsafe class Program<TVector> : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        /// <summary>Beyond so many weights the gradient is summed by rows after the last stage: private copies would cost more than they save.</summary>
        private const int MostPrivateWeights = 4 * 1024;

        /// <summary>Rows of a slice, where inputs are few fewer, for as many slices as workers may share out.</summary>
        private const int MostSliceRows = 224, LeastSliceRows = 8, Slices = 16;

        /// <summary>Weights of more bytes leave the second-level cache between two images; as many images share them as keep an image's part of reading them below this.</summary>
        private const int MostCachedBytes = 128 * 1024, ImageBytes = 128 * 1024;

        private const int MostTogether = 16;

        private readonly NodeBinding _node;
        private readonly DenseKernel<TVector> _kernel;
        private readonly AlignedMemory _forward, _backward;
        private readonly bool _hasBias;
        private readonly int _inputs, _units;

        public Program(NodeBinding node, bool hasBias)
        {
            _node = node;
            _hasBias = hasBias;
            _inputs = node.InputShapes[0].Length;
            _units = node.OutputShape.Length;
            _kernel = new(_inputs, _units);
            _forward = new(_kernel.ForwardPackedLength);
            _backward = new(node.HasBackward ? _kernel.BackwardPackedLength : 0);
        }

        public override BackwardReads BackwardReads => _node.ParametersTrainable ? BackwardReads.Inputs : BackwardReads.None;

        public override int GradientSlices => SlicedParameter < 0 ? 0 : (_inputs + SliceRows - 1) / SliceRows;

        private int SliceRows => Math.Clamp(_inputs / Slices, LeastSliceRows, MostSliceRows);

        public override int SlicedParameter => _node.ParametersTrainable && (long)_inputs * _units > MostPrivateWeights ? 0 : -1;

        public override int ImagesTogether
        {
            get
            {
                long bytes = (long)_inputs * _units * sizeof(float);
                return bytes <= MostCachedBytes ? 1 : (int)Math.Min(MostTogether, (bytes + ImageBytes - 1) / ImageBytes);
            }
        }

        public override int PrepareShares => PrepareSharesOf(_node.Parameters[0].Length);

        public override void Prepare(ulong seed, long step, Share share)
        {
            _kernel.PackForward(_node.Parameters[0].Value, _hasBias ? _node.Parameters[1].Value : null, _forward.Pointer, share);
            if (_node.HasBackward && !_node.InputGradients[0].IsNull)
                _kernel.PackBackward(_node.Parameters[0].Value, _backward.Pointer, share);
        }

        public override void Forward(int phase, in Work work) => _kernel.Forward(
            _node.Inputs[0].At(work), _forward.Pointer, _hasBias ? _node.Parameters[1].Value : null, _node.Output.At(work), work.Count);

        public override void Backward(int phase, in Work work)
        {
            float* dy = _node.OutputGradient.At(work);
            if (_node.ParametersTrainable)
            {
                if (SlicedParameter < 0)
                    _kernel.BackwardWeights(_node.Inputs[0].At(work), dy, _node.Parameters[0].Private(work), 0, _inputs, work.Count);

                if (_hasBias)
                    ColumnSumKernel.Run<TVector>(dy, _node.Parameters[1].Private(work), work.Count, _units);
            }

            if (ImagesTogether == 1)
                BackwardInputs(work);
        }

        public override void BackwardInputs(in Work work)
        {
            if (!_node.InputGradients[0].IsNull)
                _kernel.BackwardInput(_node.OutputGradient.At(work), _backward.Pointer, _node.InputGradients[0].At(work), work.Count);
        }

        public override void AddGradientSlice(int slice, int images)
        {
            int first = slice * SliceRows;
            _kernel.BackwardWeights(
                _node.Inputs[0].Image(0), _node.OutputGradient.Image(0), _node.Parameters[0].Gradient, first, Math.Min(_inputs, first + SliceRows), images);
        }
    }
}
