using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>Predictions: a worker carries images through the whole graph, a few at a time; where fewer images are left than workers, all workers go through it together, step by step, and share out rows.</summary>
internal sealed unsafe partial class Plan
{
    /// <summary>What a value that is read or written counts for among multiply-adds.</summary>
    private const long WorkOfValue = 8;

    /// <summary>What workers do together, one after the other; empty where an image is too little for that.</summary>
    private readonly SharedSteps[] _shared = [];

    /// <summary>Into how many parts each image is cut in each of them, for the images that are shared now.</summary>
    private readonly int[] _sharedParts = [];

    public int SharedPhaseCount => _shared.Length;

    /// <summary>How many of some images are carried by one worker each; the rest, fewer than there are workers, is shared.</summary>
    public int WholeImages(int images)
    {
        int rest = images % _workers;
        // With nearly an image for each worker, sharing gains less than it costs.
        return _shared.Length > 0 && rest <= _workers * 3 / 4 ? images - rest : images;
    }

    /// <summary>Groups of images that are carried together, of so many.</summary>
    public int GroupCount(int images) => (images + InferenceGroup(images) - 1) / InferenceGroup(images);

    /// <summary>A worker carries a group of images through the whole graph, and writes what it gives.</summary>
    public void RunGroup(int part, int worker, int images, float* outputs)
    {
        int group = InferenceGroup(images), first = part * group;
        var work = new Work(first, Math.Min(group, images - first), worker, _memory.Scratch(worker), null);
        foreach (Segment segment in _stages[0].Segments)
        {
            if (!segment.IsTogether)
                RunByGroups(segment, work);

            for (int i = 0; segment.IsTogether && i < segment.Steps.Length; i++)
                RunTogether(segment.Steps[i], work);
        }

        WriteOutput(work, outputs);
    }

    /// <summary>Before some images are shared; gives how many workers have something to do.</summary>
    public int BeginShared(int images)
    {
        int most = 0;
        for (int phase = 0; phase < _shared.Length; phase++)
        {
            _sharedParts[phase] = SharedParts(_shared[phase], images);
            most = Math.Max(most, _sharedParts[phase]);
        }

        return (int)Math.Min((long)images * most, _workers);
    }

    /// <summary>Into how many parts each image is cut in a shared phase.</summary>
    public int SharedParts(int phase) => _sharedParts[phase];

    /// <summary>So few parts that the workers are done soonest.</summary>
    private int SharedParts(SharedSteps steps, int images)
    {
        int best = 1;
        for (int parts = 2; parts <= Math.Min(steps.MostParts, 4 * _workers); parts++)
        {
            // A round takes the less the more parts there are.
            if (Rounds(parts) * best < Rounds(best) * parts)
                best = parts;
        }

        return best;

        long Rounds(int parts) => (((long)images * parts) + _workers - 1) / _workers;
    }

    /// <summary>A share of an image in a shared phase. The image has the place of the worker with its number among those that are shared.</summary>
    public void RunShared(int phase, int image, int place, Share share, int worker)
    {
        var work = new Work(image, 1, place, _memory.Scratch(worker), null);
        SharedSteps shared = _shared[phase];
        if (share.Count == 1)
        {
            foreach (PlanStep step in shared.Steps)
                RunTogether(step, work);

            return;
        }

        (int first, int end) = share.Of(shared.Rows);
        NodeBinding node = _bindings[shared.Steps[0].Node];
        if (_programs[shared.Steps[0].Node] is RowChain chain)
            chain.ForwardRows(work, first, end);
        else
            _programs[shared.Steps[0].Node].ForwardRows(image, node.Inputs.Length == 0 ? null : node.Inputs[0].At(work), node.Output.At(work), first, end);
    }

    /// <summary>Writes what the graph gives for a shared image.</summary>
    public void WriteShared(int image, int place, float* outputs) => WriteOutput(new(image, 1, place, null, null), outputs);

    private void WriteOutput(in Work work, float* outputs)
    {
        NodeBinding output = _bindings[^1];
        long bytes = (long)work.Count * output.OutputShape.Length * sizeof(float);
        Buffer.MemoryCopy(output.Output.At(work), outputs + ((nint)work.First * output.OutputShape.Length), bytes, bytes);
    }

    /// <summary>Images that a worker carries at once: no more than leave something for each worker.</summary>
    private int InferenceGroup(int images) => Math.Min(_size.Unit, (int)(((long)images + _workers - 1) / _workers));

    /// <summary>The steps as workers share them: each that can be cut into rows on its own, those between together. None where that would gain too little.</summary>
    private SharedSteps[] CutForSharing(SharingLimits limits)
    {
        var shared = new List<SharedSteps>();
        long cut = 0, rest = 0;
        foreach (PlanStep step in _stages[0].Steps.Where(step => !_programs[step.Node].IsAlias))
        {
            long work = WorkOf(step);
            int rows = RowsOf(step), most = (int)Math.Clamp(work / limits.Part, 1, rows);
            (cut, rest) = most > 1 ? (cut + work, rest) : (cut, rest + work);
            if (most == 1 && shared is [.., { MostParts: 1 } last])
                shared[^1] = last with { Steps = [.. last.Steps, step] };
            else
                shared.Add(new([step], rows, most));
        }

        return cut < limits.Image || rest > limits.Rest * cut ? [] : [.. shared];
    }

    /// <summary>Rows of a step's result, each of which may be computed by itself.</summary>
    private int RowsOf(PlanStep step) => _programs[step.Node] is RowChain || (_programs[step.Node].CanRunRows && _bindings[step.Node].Inputs.Length <= 1) ? _nodes[step.Node].Shape.Height : 1;

    private long WorkOf(PlanStep step)
    {
        IReadOnlyList<Node> nodes = _programs[step.Node] is RowChain chain ? chain.Nodes : [_nodes[step.Node]];
        return nodes.Where(node => !_programs[node.Index].IsAlias)
            .Sum(node => node.Layer.MultiplyAdds(node.InputShapes()) + (WorkOfValue * (node.Shape.Length + node.Inputs.Sum(input => (long)input.Shape.Length))));
    }

    /// <summary>What workers do together between two waits.</summary>
    /// <param name="Steps">One that is cut into rows, or some that are not.</param>
    /// <param name="Rows">Rows of its result.</param>
    /// <param name="MostParts">Parts that are worth a worker's while.</param>
    private sealed record SharedSteps(PlanStep[] Steps, int Rows, int MostParts);
}
