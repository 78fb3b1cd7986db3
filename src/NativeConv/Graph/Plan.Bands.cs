namespace NativeConv.Graph;

/// <summary>
/// Large images in training: where all layers of a stage work pixel by pixel, such as pointwise convolutions and normalizations, an image goes through it in bands of rows, so that what one step writes is
/// in a cache for the next. To such a layer a band is an image, in every stage that it takes part in; its sums are in the order of the bands, which follows from the shapes alone.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Cuts what nodes take for an image: all into the same number of bands, since those of a stage must agree.</summary>
    private void CutNodesIntoBands(BandLimits limits)
    {
        Node[] nodes =
        [
            .. WithoutPooled(_nodes.Where(node => node.Layer.IsPixelwise && WeightBytes(node) <= limits.Weights))
                .GroupBy(node => (node.Shape.Height, node.Shape.Width)).Where(size => size.Max(Bytes) > limits.Image).SelectMany(size => size),
        ];
        if (nodes.MaxBy(Bytes) is not { } largest)
            return;

        int rows = largest.Shape.Height;
        int bands = Enumerable.Range(1, rows).First(count => rows % count == 0 && (Bytes(largest) / count <= limits.Band || count == rows));
        foreach (Node node in nodes.Where(node => node.Shape.Height % bands == 0))
            _bindings[node.Index].CutIntoBands(bands);

        long Bytes(Node node) => sizeof(float) * (long)Math.Max(node.Shape.Length, node.Inputs.Max(input => input.Shape.Length));

        long WeightBytes(Node node) => _bindings[node.Index].Parameters.Sum(parameter => (long)parameter.Length) * sizeof(float);
    }

    /// <summary>The nodes but for those that a max-pooling reads, itself or through an activation: they run with it.</summary>
    private IEnumerable<Node> WithoutPooled(IEnumerable<Node> nodes)
    {
        var pooled = new HashSet<Node>();
        foreach (Node node in _nodes.Reverse())
        {
            if (node.Layer is MaxPool2D || (node.Layer is ActivationLayer && pooled.Contains(node)))
                pooled.UnionWith(node.Inputs);
        }

        return nodes.Where(node => !pooled.Contains(node));
    }

    /// <summary>Marks the stages all of whose steps take bands for images.</summary>
    private void CutStagesIntoBands()
    {
        foreach (Segment[] segments in _stages.Select(stage => stage.Segments))
        {
            if (segments is [{ IsTogether: false } only] && only.Steps.All(step => step.Pass != Pass.Loss))
                segments[0] = only with { Bands = only.Steps.Min(step => _bindings[step.Node].Bands) };
        }
    }
}
