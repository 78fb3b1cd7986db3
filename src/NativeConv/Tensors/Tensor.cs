using System.Numerics.Tensors;
using NativeConv.Tensors;

namespace NativeConv;

/// <summary>
/// Float32 values in row-major order, 64-byte aligned, never moved by the garbage collector and freed by it: nothing to dispose.
/// Images are NHWC: [images, height, width, channels].
/// </summary>
public sealed unsafe class Tensor
{
    private readonly AlignedMemory _memory;
    private readonly int _offset;

    /// <summary>A tensor of zeros.</summary>
    public Tensor(TensorShape shape)
        : this(shape, new AlignedMemory(shape.Length), 0)
    {
    }

    /// <summary>A tensor of zeros.</summary>
    /// <exception cref="ArgumentException">As <see cref="TensorShape(ReadOnlySpan{int})"/>.</exception>
    public Tensor(params ReadOnlySpan<int> dimensions)
        : this(new TensorShape(dimensions))
    {
    }

    /// <summary>A view of part of a block that others share.</summary>
    internal Tensor(TensorShape shape, AlignedMemory memory, int offset)
    {
        Shape = shape;
        _memory = memory;
        _offset = offset;
    }

    /// <summary>A tensor with a copy of the values.</summary>
    /// <param name="values">The values in row-major order.</param>
    /// <param name="dimensions">The shape, outermost first.</param>
    /// <exception cref="ArgumentException">The number of values is not what the shape holds.</exception>
    public static Tensor From(ReadOnlySpan<float> values, params ReadOnlySpan<int> dimensions)
    {
        var tensor = new Tensor(dimensions);
        if (values.Length != tensor.Length)
            throw new ArgumentException($"A tensor of shape {tensor.Shape} holds {tensor.Length} values, but {values.Length} were given.", nameof(values));

        values.CopyTo(tensor.Span);
        return tensor;
    }

    /// <summary>The shape.</summary>
    public TensorShape Shape { get; }

    /// <summary>How many floats it holds.</summary>
    public int Length => Shape.Length;

    /// <summary>The values in row-major order.</summary>
    public Span<float> Span => _memory.Span.Slice(_offset, Length);

    /// <summary>The values in row-major order, as memory.</summary>
    public Memory<float> Memory => _memory.Memory.Slice(_offset, Length);

    internal float* Pointer => _memory.Pointer + _offset;

    /// <summary>The values as a span with shape.</summary>
    public TensorSpan<float> AsTensorSpan() => new(Span, Dimensions());

    /// <summary>The values as a read-only span with shape.</summary>
    public ReadOnlyTensorSpan<float> AsReadOnlyTensorSpan() => new(Span, Dimensions());

    private ReadOnlySpan<nint> Dimensions() => Array.ConvertAll(Shape.ToArray(), static dimension => (nint)dimension);
}
