using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>
/// Large images in training: where layers of a stage work pixel by pixel, such as pointwise convolutions and normalizations, an image goes through it in bands of rows, so that what one step writes is
/// in a cache for the next. To such a layer a band is an image, in every stage that it takes part in; its sums are in the order of the bands, which follows from the shapes alone. Depthwise convolutions among
/// them, and what follows, stay a band behind, so that the rows that their taps see are there.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Cuts what nodes take for an image: all into the same number of bands, since those of a stage must agree. The output is the loss's, whole.</summary>
    private void CutNodesIntoBands(BandLimits limits)
    {
        Node[] nodes =
        [
            .. WithoutPooled(_nodes.SkipLast(1).Where(node => node.Layer.IsPixelwise && WeightBytes(node) <= limits.Weights))
                .GroupBy(node => (node.Shape.Height, node.Shape.Width)).Where(size => size.Key.Height > 1 && size.Max(Bytes) > limits.Image).SelectMany(size => size),
        ];
        if (nodes.MaxBy(Bytes) is not { } largest)
            return;

        int rows = largest.Shape.Height;
        int bands = Enumerable.Range(1, rows).Where(count => rows % count == 0).MinBy(count => Ratio(Bytes(largest), count * limits.Band));
        foreach (Node node in nodes.Where(node => node.Shape.Height % bands == 0))
            _bindings[node.Index].CutIntoBands(bands);

        long Bytes(Node node) => sizeof(float) * (long)Math.Max(node.Shape.Length, node.Inputs.Max(input => input.Shape.Length));

        static double Ratio(double a, double b) => Math.Max(a / b, b / a);

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

    /// <summary>
    /// Marks the stages that images go through in bands: all of their steps take bands for images, or are depthwise convolutions whose taps reach no further than the bands beside.
    /// </summary>
    private void CutStagesIntoBands()
    {
        int position = 0;
        foreach (Stage stage in _stages)
        {
            (int first, int last) = (position + 1, position += stage.Steps.Length);
            if (stage.Segments is not [{ IsTogether: false } only] || BandsOf(only.Steps) is not (> 1 and int bands))
                continue;

            int[] lags = new int[only.Steps.Length];
            for (int i = 0; i < lags.Length; i++)
            {
                bool isWindow = IsWindow(only.Steps[i]);
                lags[i] = (i == 0 ? 0 : lags[i - 1]) + (isWindow ? 1 : 0);
                if (isWindow)
                    MarkReadAcross(only.Steps[i]);
            }

            foreach (PlanStep step in only.Steps)
            {
                VisitUses(step, buffer =>
                {
                    buffer.IsUsedInBands = true;
                    if (lags[^1] == 0 || !buffer.IsPerWorker)
                        return;

                    // What a band leaves for a step that waits must outlast the next band's first steps.
                    buffer.IsKeptForBands = true;
                    buffer.KeepThrough(first, last);
                });
            }

            stage.Segments[0] = only with { Bands = bands, Lags = lags };
        }
    }

    /// <summary>The number of bands that all steps can run in; 1 where there is none.</summary>
    private int BandsOf(PlanStep[] steps)
    {
        int bands = steps.Max(step => _bindings[step.Node].Bands);
        return Array.TrueForAll(steps, step => step.Pass != Pass.Loss && (IsWindow(step) ? FitsBands(_nodes[step.Node], bands) : _bindings[step.Node].Bands == bands)) ? bands : 1;
    }

    private bool IsWindow(PlanStep step) => _nodes[step.Node].Layer is DepthwiseConv2D && _programs[step.Node].CanRunBands;

    private static bool FitsBands(Node node, int bands)
    {
        var layer = (DepthwiseConv2D)node.Layer;
        int inputRows = node.Inputs[0].Shape.Height / bands, outputRows = node.Shape.Height / bands;
        return inputRows * bands == node.Inputs[0].Shape.Height && outputRows * bands == node.Shape.Height && outputRows * layer.Stride.Height == inputRows && (layer.KernelSize.Height - 1) * layer.Dilation.Height <= inputRows;
    }

    /// <summary>Of what a window reads, rows of the band before are read again.</summary>
    private void MarkReadAcross(PlanStep step)
    {
        _values[_nodes[step.Node].Inputs[0].Index].IsReadAcrossBands = true;
        if (step.Pass == Pass.Backward)
            _gradients[step.Node]!.IsReadAcrossBands = true;
    }

    /// <summary>A stage's steps, a band at a time; a step that waits for the next band does so behind the last one, too.</summary>
    private void RunByBands(in Segment segment, in Work work)
    {
        int bands = segment.Bands;
        for (int i = 0; i < work.Count; i++)
        {
            Work image = work.Part(i, 1), all = image.InBands(bands);
            for (int turn = 0; turn < bands + segment.Lags[^1]; turn++)
            {
                FetchQueue* queue = segment.Ahead.Length > 0 && turn < bands ? FillQueue(all.Part(turn, 1), segment) : null;
                for (int step = 0; step < segment.Steps.Length; step++)
                {
                    int band = turn - segment.Lags[step];
                    if ((uint)band < (uint)bands)
                        RunBand(segment.Steps[step], image, all.Part(band, 1).WithAhead(queue), new(band, bands));
                }
            }
        }
    }

    private void RunBand(PlanStep step, in Work image, in Work rows, Share band)
    {
        if (!IsWindow(step))
        {
            Run(step, rows);
            return;
        }

        NodeBinding node = _bindings[step.Node];
        if (step.Pass is Pass.Forward or Pass.ForwardAgain)
        {
            (int first, int end) = band.Of(node.OutputShape.Height);
            _programs[step.Node].ForwardRows(image.First, node.Inputs[0].At(image), node.Output.At(image), first, end);
            return;
        }

        _programs[step.Node].BackwardBand(image, band);
        AddSharedGradients(step.Node, rows, band.Count);
    }
}
