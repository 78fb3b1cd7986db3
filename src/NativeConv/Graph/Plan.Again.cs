using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>
/// Which values and gradients are worked out again where a later stage reads them, instead of being kept for the whole batch: where memory is slower than arithmetic.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Adds the steps that run again, each before the first step of its stage that reads what it writes.</summary>
    private void RunAgainWhatIsCheap(Graph graph, bool[] needsGradient, RecomputeLimits limits)
    {
        var again = new HashSet<PlannedBuffer>();

        // An activation or a flattening that ends the network may share the buffer that the caller or the loss reads.
        Node[] nodes = [.. _nodes.Where(node => _values[node.Index] != _values[graph.Output.Index])];
        foreach (Node node in nodes)
        {
            if (!node.Layer.IsConvolution && CanRunForwardAgain(node, again))
                TryRunAgain(_values[node.Index], LastForward(node), again, onlyBackward: true);
        }

        // After what reads their outputs: where that runs again, so do they, before it.
        foreach (Node node in nodes)
        {
            if (node.Layer.IsConvolution && CanRunForwardAgain(node, again) && IsWorthConvolvingAgain(node, limits) && LeavesBands(node))
                TryRunAgain(_values[node.Index], LastForward(node), again, onlyBackward: false);
        }

        foreach (Node node in _nodes)
        {
            if (needsGradient[node.Index] && CanRunBackwardAgain(node))
                TryRunAgain(_gradients[node.Inputs[0].Index]!, new(Pass.Backward, node.Index, 0), again, onlyBackward: true);
        }
    }

    private PlanStep LastForward(Node node) => new(Pass.Forward, node.Index, _programs[node.Index].ForwardPhases - 1);

    /// <summary>The batch's outputs would have to come from memory, and its inputs, which then do, are no more than they.</summary>
    private bool IsWorthConvolvingAgain(Node node, RecomputeLimits limits)
    {
        long image = (long)node.Shape.Length * sizeof(float);
        return image <= limits.Image && image * BatchSize >= limits.Batch && node.Inputs[0].Shape.Length <= node.Shape.Length;
    }

    /// <summary>Whether every stage that uses a node's output goes in as many bands with the node in it: in others sums are in another order.</summary>
    private bool LeavesBands(Node node) => Array.TrueForAll(
        _stages,
        stage => !Array.Exists(stage.Steps, step => Touches(step, _values[node.Index])) || BandsOf(stage.Steps) == BandsOf([.. stage.Steps, LastForward(node) with { Pass = Pass.ForwardAgain }]));

    private bool CanRunForwardAgain(Node node, HashSet<PlannedBuffer> again)
    {
        LayerProgram program = _programs[node.Index];
        return program.CanRunForwardAgain && !program.IsAlias && program.BackwardReads.HasFlag(BackwardReads.Inputs)
            && node.Inputs.All(input => !again.Contains(_values[input.Index]));
    }

    /// <summary>What is kept instead is the node's own gradient: that must be the smaller one.</summary>
    private bool CanRunBackwardAgain(Node node)
    {
        LayerProgram program = _programs[node.Index];
        return program.CanRunBackwardAgain && program.BackwardReads == BackwardReads.None && _added[node.Index][0] == null
            && _gradients[node.Inputs[0].Index] is { } gradient && gradient != _gradients[node.Index]
            && node.Shape.Length < gradient.ImageLength;
    }

    /// <summary>Runs a buffer's writer again in every later stage that uses the buffer, where it is the only writer and, unless it may run again in the forward pass, too, all those stages are backward.</summary>
    private void TryRunAgain(PlannedBuffer buffer, PlanStep writer, HashSet<PlannedBuffer> again, bool onlyBackward)
    {
        var uses = new List<(int Stage, int Position)>();
        for (int stage = 0; stage < _stages.Length; stage++)
        {
            int first = Array.FindIndex(_stages[stage].Steps, step => Touches(step, buffer));
            if (first >= 0)
                uses.Add((stage, first));
        }

        int firstBackward = Array.FindIndex(_stages, stage => stage.Steps.Any(step => step.Pass == Pass.Backward));
        if (uses.Count < 2 || (onlyBackward && uses[1].Stage < firstBackward) || !_stages[uses[0].Stage].Steps.Contains(writer)
            || (writer.Pass == Pass.Backward && WritersOf(buffer) != 1) || _slices.Any(slice => IsReadBySlice(slice.Node, buffer)))
        {
            return;
        }

        PlanStep second = writer with { Pass = writer.Pass == Pass.Forward ? Pass.ForwardAgain : Pass.BackwardAgain };
        foreach ((int stage, int position) in uses.Skip(1))
            _stages[stage] = _stages[stage] with { Steps = [.. _stages[stage].Steps[..position], second, .. _stages[stage].Steps[position..]] };

        buffer.IsWorkedOutAgain = true;
        again.Add(buffer);
    }

    private int WritersOf(PlannedBuffer gradient) =>
        _nodes.Count(node => node.Inputs.Any(input => _gradients[input.Index] == gradient) && _gradients[node.Index] != gradient);

    private bool IsReadBySlice(int node, PlannedBuffer buffer) => _gradients[node] == buffer || _values[_nodes[node].Inputs[0].Index] == buffer;

    private bool Touches(PlanStep step, PlannedBuffer buffer)
    {
        bool touches = false;
        VisitUses(step, used => touches |= used == buffer);
        return touches;
    }
}
