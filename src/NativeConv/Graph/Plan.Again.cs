using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>
/// Which values and gradients are worked out again where a later stage reads them, instead of being kept for the whole batch: where memory is slower than arithmetic.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Adds the steps that run again, each before the first step of its stage that reads what it writes.</summary>
    private void RunAgainWhatIsCheap(Graph graph, bool[] needsGradient)
    {
        var again = new HashSet<PlannedBuffer>();
        foreach (Node node in _nodes)
        {
            if (node != graph.Output && CanRunForwardAgain(node, again))
                TryRunAgain(_values[node.Index], new(Pass.ForwardAgain, node.Index, _programs[node.Index].ForwardPhases - 1), again);
        }

        foreach (Node node in _nodes)
        {
            if (needsGradient[node.Index] && CanRunBackwardAgain(node))
                TryRunAgain(_gradients[node.Inputs[0].Index]!, new(Pass.BackwardAgain, node.Index, 0), again);
        }
    }

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

    /// <summary>Runs a step again in every stage after the first that reads its buffer, if that stage is the one that writes it and all others are backward.</summary>
    private void TryRunAgain(PlannedBuffer buffer, PlanStep step, HashSet<PlannedBuffer> again)
    {
        var stages = new List<(int Stage, int Step)>();
        for (int stage = 0; stage < _stages.Length; stage++)
        {
            int first = Array.FindIndex(_stages[stage].Steps, other => Touches(other, buffer));
            if (first >= 0)
                stages.Add((stage, first));
        }

        bool isForward = step.Pass == Pass.ForwardAgain;
        int firstBackward = Array.FindIndex(_stages, stage => stage.Steps.Any(other => other.Pass is Pass.Backward));
        if (stages.Count < 2 || stages.Skip(1).Any(use => use.Stage < firstBackward) || _slices.Any(slice => IsReadBySlice(slice.Node, buffer)))
            return;

        // The stage that writes the buffer is its first one, or something else adds to it.
        Pass original = isForward ? Pass.Forward : Pass.Backward;
        PlanStep writer = new(original, step.Node, step.Phase);
        if (!_stages[stages[0].Stage].Steps.Contains(writer) || (!isForward && WritersOf(buffer) != 1))
            return;

        foreach ((int stage, int position) in stages.Skip(1))
            _stages[stage] = _stages[stage] with { Steps = [.. _stages[stage].Steps[..position], step, .. _stages[stage].Steps[position..]] };

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
