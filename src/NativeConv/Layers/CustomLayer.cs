using NativeConv.Layers;

namespace NativeConv;

/// <summary>
/// The base of a layer of your own: shapes, parameters, and two passes over a range of images. Both may run on several threads at once for different
/// images, so keep no state in the layer.
/// </summary>
public abstract class CustomLayer : Layer
{
    /// <summary>Writes the output of a range of images.</summary>
    public abstract void Forward(in LayerForward call);

    /// <summary>Writes the gradient by the inputs of a range of images, and adds to the parameters' gradients.</summary>
    public abstract void Backward(in LayerBackward call);

    internal sealed override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program(binding, this);

    private sealed class Program(NodeBinding node, CustomLayer layer) : LayerProgram
    {
        public override BackwardReads BackwardReads => BackwardReads.Inputs | BackwardReads.Output;

        /// <summary>Room for the gradient of a parameter that has no place among the private ones.</summary>
        public override int ScratchLength => node.Parameters.Max(parameter => (int?)parameter.Length) ?? 0;

        public override void Forward(int phase, in Work work) => layer.Forward(new LayerForward(node, work));

        public override void Backward(int phase, in Work work) => layer.Backward(new LayerBackward(node, work));
    }
}
