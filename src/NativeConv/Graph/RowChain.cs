using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>
/// Nodes that follow each other, each the only reader of the one before, run band of rows by band of rows: a depthwise convolution, its activation, the pointwise
/// convolution and its, a max-pooling; in training a convolution and a max-pooling. What lies between them is a band in the worker's scratch, and stays in a cache that a large image would outgrow. The
/// bits are those of the nodes on their own.
/// </summary>
internal sealed unsafe class RowChain : LayerProgram
{
    /// <summary>What a band between two nodes should stay below.</summary>
    private const int BandBytes = 128 * 1024;

    private readonly Link[] _links;
    private readonly LayerProgram _lastProgram;
    private readonly NodeBinding _first, _last;
    private readonly int _rows, _mostBandRows, _bandLength, _scratchLength;

    public RowChain(IReadOnlyList<(Node Node, LayerProgram Program, NodeBinding Binding)> members)
    {
        Nodes = [.. members.Select(member => member.Node)];
        (_first, _last, _lastProgram) = (members[0].Binding, members[^1].Binding, members[^1].Program);
        _rows = members[^1].Node.Shape.Height;
        members = WithPooledConvolution(members);

        // From the end: how many of a node's rows make one of the chain's, and whether only nodes that run in place follow.
        _links = new Link[members.Count];
        int ratio = 1;
        bool isLast = true;
        for (int i = members.Count - 1; i >= 0; i--)
        {
            ImageShape shape = members[i].Node.Shape;
            _links[i] = new(members[i].Program, (nint)shape.Width * shape.Channels, ratio, isLast ? Place.Output : Place.FirstBand);
            ratio *= members[i].Program.OwnRows;
            isLast &= members[i].Program.CanRunInPlace;
        }

        for (int i = 1; i < _links.Length; i++)
        {
            Place before = _links[i - 1].Place;
            if (_links[i].Place != Place.Output)
                _links[i] = _links[i] with { Place = _links[i].Program.CanRunInPlace ? before : before == Place.FirstBand ? Place.SecondBand : Place.FirstBand };
        }

        Link[] between = [.. _links.Where(link => link.Place != Place.Output)];
        nint longest = between.Length == 0 ? 1 : between.Max(link => link.Ratio * link.Row);
        _mostBandRows = (int)Math.Clamp(BandBytes / (longest * sizeof(float)), 1, _rows);
        _bandLength = between.Length == 0 ? 0 : (int)AlignedMemory.RoundUp(longest * _mostBandRows);
        _scratchLength = _bandLength * (between.Any(link => link.Place == Place.SecondBand) ? 2 : 1);
    }

    /// <summary>The members, with a convolution that can and the 2x2 max-pooling that covers its output as one.</summary>
    private static IReadOnlyList<(Node Node, LayerProgram Program, NodeBinding Binding)> WithPooledConvolution(IReadOnlyList<(Node Node, LayerProgram Program, NodeBinding Binding)> members)
    {
        (Node Node, LayerProgram Program, NodeBinding Binding) next = members.Skip(1).First(member => !member.Program.IsAlias);
        return next.Node.Layer is MaxPool2D pooling && pooling.QuartersInput(next.Node.Inputs[0].Shape) && members[0].Program.WithPooling(next.Binding) is { } joined
            ? [(next.Node, joined, next.Binding), .. members.SkipWhile(member => member != next).Skip(1)]
            : members;
    }

    /// <summary>Where a link's rows go.</summary>
    private enum Place
    {
        FirstBand,
        SecondBand,
        Output,
    }

    /// <summary>The nodes that run together, in order.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>What the chain reads.</summary>
    public IReadOnlyList<Node> Inputs => Nodes[0].Inputs;

    public override int ScratchLength => _scratchLength;

    public override void Prepare(ulong seed, long step, Share share) => _lastProgram.Prepare(seed, step, share);

    public override int PrepareShares => _lastProgram.PrepareShares;

    public override void Forward(int phase, in Work work)
    {
        float* x = _first.Inputs[0].At(work), y = _last.Output.At(work);
        for (int image = 0; image < work.Count; image++)
        {
            RunBands(work.First + image, x, y, work.Scratch, 0, _rows);
            x += _first.InputShapes[0].Length;
            y += _last.OutputShape.Length;
        }
    }

    /// <summary>Some rows of the output of one image, the first of the work.</summary>
    public void ForwardRows(in Work work, int first, int end) => RunBands(work.First, _first.Inputs[0].At(work), _last.Output.At(work), work.Scratch, first, end);

    // Backward each node runs on its own; the chain has the last one's place in the plan.
    public override BackwardReads BackwardReads => _lastProgram.BackwardReads;

    public override bool CanRunBackwardAgain => _lastProgram.CanRunBackwardAgain;

    public override void Backward(int phase, in Work work) => _lastProgram.Backward(phase, work);

    private void RunBands(int image, float* x, float* y, float* scratch, int first, int end)
    {
        int bands = (end - first + _mostBandRows - 1) / _mostBandRows;
        for (int band = 0; band < bands; band++)
        {
            (int from, int to) = new Share(band, bands).Of(end - first);
            Run(image, x, y, scratch, first + from, first + to);
        }
    }

    private void Run(int image, float* x, float* y, float* scratch, int first, int end)
    {
        foreach (ref readonly Link link in _links.AsSpan())
        {
            int start = first * link.Ratio;
            float* to = link.Place == Place.Output ? y : scratch + (link.Place == Place.SecondBand ? _bandLength : 0) - (start * link.Row);
            link.Program.ForwardRows(image, x, to, start, end * link.Ratio);
            x = to;
        }
    }

    /// <summary>A node of the chain.</summary>
    /// <param name="Program">What it does.</param>
    /// <param name="Row">Floats a row of its output.</param>
    /// <param name="Ratio">Rows of its output that make one of the chain's.</param>
    /// <param name="Place">Where they go.</param>
    private readonly record struct Link(LayerProgram Program, nint Row, int Ratio, Place Place);
}
