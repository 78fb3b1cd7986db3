using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>The sum of two or more inputs of one shape: a residual connection.</summary>
public sealed class Add : Layer
{
    /// <inheritdoc/>
    public override string Kind => "add";

    /// <inheritdoc/>
    public override int InputCount => -1;

    internal override bool IsTransparentToInitializer => true;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        foreach (ImageShape input in inputs)
        {
            if (input != inputs[0])
                throw new ArgumentException($"inputs must have one shape, but {inputs[0]} and {input} differ.");
        }

        return inputs[0];
    }

    internal override bool IsPixelwise => true;

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program<TVector>(binding);

    private sealed unsafe class Program<TVector>(NodeBinding node) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        public override void Forward(int phase, in Work work)
        {
            nint length = (nint)work.Count * node.OutputShape.Length;
            float* y = node.Output.At(work);
            ElementwiseKernel.Add<TVector>(node.Inputs[0].At(work), node.Inputs[1].At(work), y, length);
            for (int i = 2; i < node.Inputs.Length; i++)
                ElementwiseKernel.AddTo<TVector>(node.Inputs[i].At(work), y, length);
        }

        public override void Backward(int phase, in Work work)
        {
            long bytes = (long)work.Count * node.OutputShape.Length * sizeof(float);
            foreach (ref readonly BufferView gradient in node.InputGradients.AsSpan())
            {
                if (!gradient.IsNull)
                    Buffer.MemoryCopy(node.OutputGradient.At(work), gradient.At(work), bytes, bytes);
            }
        }
    }
}
