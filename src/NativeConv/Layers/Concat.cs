using NativeConv.Layers;

namespace NativeConv;

/// <summary>Puts the channels of inputs of one height and width behind each other: [h, w, c0], [h, w, c1], ... to [h, w, c0 + c1 + ...].</summary>
public sealed class Concat : Layer
{
    /// <inheritdoc/>
    public override string Kind => "concat";

    /// <inheritdoc/>
    public override int InputCount => -1;

    internal override bool IsTransparentToInitializer => true;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        int channels = 0;
        foreach (ImageShape input in inputs)
        {
            if (input.Height != inputs[0].Height || input.Width != inputs[0].Width)
                throw new ArgumentException($"inputs must have one height and width, but {inputs[0]} and {input} differ.");

            channels = checked(channels + input.Channels);
        }

        return inputs[0] with { Channels = channels };
    }

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program(binding);

    private sealed unsafe class Program(NodeBinding node) : LayerProgram
    {
        public override void Forward(int phase, in Work work)
        {
            float* y = node.Output.At(work);
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                int channels = node.InputShapes[i].Channels;
                Copy(node.Inputs[i].At(work), channels, y, node.OutputShape.Channels, channels, work.Count);
                y += channels;
            }
        }

        public override void Backward(int phase, in Work work)
        {
            float* dy = node.OutputGradient.At(work);
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                int channels = node.InputShapes[i].Channels;
                if (!node.InputGradients[i].IsNull)
                    Copy(dy, node.OutputShape.Channels, node.InputGradients[i].At(work), channels, channels, work.Count);

                dy += channels;
            }
        }

        private void Copy(float* from, int fromStride, float* to, int toStride, int channels, int images)
        {
            for (nint pixel = 0; pixel < (nint)images * node.OutputShape.Pixels; pixel++)
            {
                new ReadOnlySpan<float>(from, channels).CopyTo(new(to, channels));
                from += fromStride;
                to += toStride;
            }
        }
    }
}
