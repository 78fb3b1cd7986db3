namespace NativeConv.Graph;

/// <summary>
/// Values that one stage computes and later ones read, where a pass over them follows at once anyway. They are computed into a worker's buffer, which stays in its cache, and that pass
/// streams a copy to the batch's memory, whose lines are then not read before they are written.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>For each node the copies of its input and of its output's gradient, or null.</summary>
    private readonly PlannedBuffer?[] _keptInputs, _keptGradients;

    /// <summary>Gives copies to the nodes whose first phases can leave them, wherever nothing else needs the original beyond its stage.</summary>
    private void KeepCopies(Graph graph)
    {
        foreach (Node node in _nodes.Where(node => _programs[node.Index].CopiesForLaterPhases))
        {
            PlannedBuffer input = _values[node.Inputs[0].Index];
            if (CanSplit(input, node, Pass.Forward))
                _keptInputs[node.Index] = Copy(input);

            if (_gradients[node.Index] is { } gradient && node != graph.Output && CanSplit(gradient, node, Pass.Backward))
                _keptGradients[node.Index] = Copy(gradient);
        }

        PlannedBuffer Copy(PlannedBuffer buffer)
        {
            var copy = new PlannedBuffer(buffer.Name + " kept", buffer.ImageLength);
            _buffers.Add(copy);
            return copy;
        }
    }

    /// <summary>Whether all but the node's later phases use the buffer in the one stage of the node's first phase.</summary>
    private bool CanSplit(PlannedBuffer buffer, Node node, Pass pass)
    {
        if (buffer.IsWorkedOutAgain || !_memory.IsStreamed((long)buffer.ImageLength * BatchSize * sizeof(float)) || _slices.Any(slice => IsReadBySlice(slice.Node, buffer)))
            return false;

        return _stages.All(stage => stage.Steps.Contains(new(pass, node.Index, 0))
            || stage.Steps.All(step => (step.Node == node.Index && (step.Phase > 0 || step.Pass != pass)) || !Touches(step, buffer)));
    }
}
