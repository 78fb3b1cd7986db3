using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The passes of a convolution with memory for a batch: weights packed, a gradient and scratch for each worker.</summary>
internal sealed unsafe class ConvolutionRun<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly ConvolutionAlgorithm<TVector> _algorithm;
    private readonly nint _input, _output;
    private readonly AlignedMemory _x, _dx, _y, _forward, _backward;
    private readonly AlignedMemory[] _gradients, _scratch;

    public ConvolutionRun(ConvolutionShape shape, int workers)
    {
        _algorithm = shape.Kernel == ConvolutionShape.Depthwise
            ? ConvolutionAlgorithm<TVector>.Depthwise(shape.Geometry, shape.Channels, shape.Filters / shape.Channels)
            : ConvolutionAlgorithm<TVector>.Dense(shape.Geometry, shape.Channels, shape.Filters, 1);
        _input = (nint)shape.InputLength;
        _output = (nint)shape.OutputLength;
        _x = Values.Block(shape.Images * shape.InputLength);
        _dx = Values.Block(shape.Images * shape.InputLength);
        _y = Values.Block(shape.Images * shape.OutputLength);
        _gradients = Values.Blocks(workers, shape.WeightsLength);
        _scratch = Values.Blocks(workers, _algorithm.ScratchLength);
        _forward = new(_algorithm.ForwardPackedLength);
        _backward = new(_algorithm.BackwardPackedLength);
        AlignedMemory weights = Values.Block(shape.WeightsLength);
        _algorithm.PackForward(weights.Pointer, null, _forward.Pointer);
        _algorithm.PackBackward(weights.Pointer, _backward.Pointer);
        GC.KeepAlive(weights);
    }

    public void Forward(int worker, int first, int count) =>
        _algorithm.Forward(_x.Pointer + (first * _input), _forward.Pointer, _y.Pointer + (first * _output), _scratch[worker].Pointer, count);

    public void BackwardInput(int worker, int first, int count) =>
        _algorithm.BackwardInput(_y.Pointer + (first * _output), _backward.Pointer, _dx.Pointer + (first * _input), _scratch[worker].Pointer, count);

    public void BackwardWeights(int worker, int first, int count) =>
        _algorithm.BackwardWeights(_x.Pointer + (first * _input), _y.Pointer + (first * _output), _gradients[worker].Pointer, _scratch[worker].Pointer, count);

    /// <summary>Both gradients, in one sweep where the kernel can.</summary>
    public void Backward(int worker, int first, int count) => _algorithm.Backward(
        _x.Pointer + (first * _input), _y.Pointer + (first * _output), _backward.Pointer, _dx.Pointer + (first * _input), _gradients[worker].Pointer,
        _scratch[worker].Pointer, count);
}
