using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv.Graph;

/// <summary>How a plan is made: which nodes need gradients, where the stages end, how long each buffer lives.</summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Nodes that a backward pass runs through: those that are trained, and those above one that is.</summary>
    private bool[] NeedsGradient(ParameterStore parameters)
    {
        var needs = new bool[_nodes.Count];
        foreach (Node node in _nodes)
            needs[node.Index] = parameters.IsTrained(node) || node.Inputs.Any(input => needs[input.Index]);

        return needs;
    }

    /// <summary>Joins nodes that can hand rows to each other.</summary>
    private void JoinRowChains(bool training)
    {
        int[] readers = Graph.CountReaders(_nodes);
        var isJoined = new bool[_nodes.Count];
        foreach (Node start in _nodes)
        {
            if (isJoined[start.Index] || !_programs[start.Index].CanRunRows || _programs[start.Index].IsAlias || start.Inputs.Count != 1)
                continue;

            List<Node> members = [start];
            while (readers[members[^1].Index] == 1)
            {
                Node next = _nodes.First(node => node.Inputs.Contains(members[^1]));
                if (next.Inputs.Count > 1 || _programs[next.Index].OwnRows == 0)
                    break;

                members.Add(next);
            }

            if (training)
                members = WithoutWhatBackwardReads(members);

            if (members.Skip(1).All(member => _programs[member.Index].IsAlias))
                continue;

            foreach (Node member in members)
                (isJoined[member.Index], _isInChain[member.Index]) = (true, member != members[^1]);

            _programs[members[^1].Index] = new RowChain([.. members.Select(node => (node, _programs[node.Index], _bindings[node.Index]))]);
        }
    }

    /// <summary>In training a chain is a convolution and the max-pooling behind it, for of what lies between no backward reads anything: the pooling has its winners.</summary>
    private List<Node> WithoutWhatBackwardReads(List<Node> members)
    {
        int pooling = members.FindIndex(1, member => !_programs[member.Index].IsAlias);
        return members[0].Layer.IsConvolution && !_programs[members[0].Index].BackwardReads.HasFlag(BackwardReads.Output)
            && pooling > 0 && members[pooling].Layer is MaxPool2D
            ? members[..(pooling + 1)]
            : members[..1];
    }

    /// <summary>Lines all phases up; a barrier before one of them ends a stage.</summary>
    private Stage[] CutIntoStages(bool training, bool[] needsGradient)
    {
        var stages = new List<Stage>();
        var steps = new List<PlanStep>();
        PlanStep? barrier = null;
        foreach (Node node in _nodes.Where(node => !_isInChain[node.Index]))
        {
            for (int phase = 0; phase < _programs[node.Index].ForwardPhases; phase++)
                Append(new(Pass.Forward, node.Index, phase), phase > 0);
        }

        int output = _nodes.Count - 1;
        if (_loss != null)
            Append(new(Pass.Loss, output, 0), isBarrier: false);

        if (training)
        {
            bool first = Kind == PlanKind.ByHand;
            for (int node = output; node >= 0; node--)
            {
                for (int phase = 0; needsGradient[node] && phase < _programs[node].BackwardPhases; phase++)
                {
                    Append(new(Pass.Backward, node, phase), phase > 0 || first);
                    if (first)
                        FirstBackwardStage = stages.Count;

                    first = false;
                }
            }
        }

        stages.Add(new([.. steps], barrier));
        if (!training || !needsGradient[output])
            FirstBackwardStage = stages.Count;

        return [.. stages];

        void Append(PlanStep step, bool isBarrier)
        {
            if (isBarrier)
            {
                stages.Add(new([.. steps], barrier));
                steps.Clear();
                barrier = step.Phase > 0 ? step : null;
            }

            steps.Add(step);
        }
    }

    private (PlannedBuffer[] Values, PlannedBuffer?[] Gradients, (PlannedBuffer Own, PlannedBuffer Target)?[][] Added) CreateBuffers(
        bool training, bool[] needsGradient)
    {
        var values = new PlannedBuffer[_nodes.Count];
        var gradients = new PlannedBuffer?[_nodes.Count];
        var added = new (PlannedBuffer Own, PlannedBuffer Target)?[_nodes.Count][];
        int[] readers = Graph.CountReaders(_nodes);

        foreach (Node node in _nodes)
        {
            values[node.Index] = _programs[node.Index].IsAlias ? values[node.Inputs[0].Index] : Create(node.Name, ValueLength(node));
            if (!training || !needsGradient[node.Index])
                continue;

            bool shares = _bindings[node.Index].IsGradientHandedOn || (_programs[node.Index].IsAlias && readers[node.Inputs[0].Index] == 1);
            gradients[node.Index] = shares ? gradients[node.Inputs[0].Index] : Create(node.Name + "'", GradientLength(node));
        }

        // In backward order the first reader of a value writes its gradient; each further one writes a buffer of its own, which is then added.
        var written = new bool[_nodes.Count];
        for (int index = _nodes.Count - 1; index >= 0; index--)
        {
            Node node = _nodes[index];
            added[index] = new (PlannedBuffer, PlannedBuffer)?[node.Inputs.Count];
            for (int i = 0; needsGradient[index] && i < node.Inputs.Count; i++)
            {
                int input = node.Inputs[i].Index;
                if (gradients[input] is { } target && written[input])
                    added[index][i] = (Create($"{node.Name}'{i}", target.ImageLength), target);

                written[input] = true;
            }
        }

        return (values, gradients, added);

        int ValueLength(Node node) => _bindings[node.Index].PoolsItself ? GradientLength(node) : node.Shape.Length;

        int GradientLength(Node node) => (_bindings[node.Index].Pooling?.OutputShape ?? node.Shape).Length;

        PlannedBuffer Create(string name, int length)
        {
            var buffer = new PlannedBuffer(name, length);
            _buffers.Add(buffer);
            return buffer;
        }
    }

    /// <summary>How long each buffer lives; gives how many images a worker takes at once, and chunks.</summary>
    private (int Images, int Chunks) RecordUses(Graph graph, int group)
    {
        int position = 0;
        for (int stage = 0; stage < _stages.Length; stage++)
        {
            foreach (PlanStep step in _stages[stage].Steps)
            {
                position++;
                VisitUses(step, buffer => buffer.Use(stage, position));
            }
        }

        (int Images, int Chunks) unit = ShareWeights(group);

        // A worker copies the results of all its images at the end.
        if (Kind == PlanKind.Inference && _stages[0].BringsTogether)
            _values[graph.Output.Index].KeepForUnit(1, position);

        // What the caller reads after a run, or gives before one, and what slices read over the whole batch, outlives every stage.
        if (Kind == PlanKind.ByHand)
        {
            _values[graph.Output.Index].Use(_stages.Length, position + 1);
            _gradients[graph.Output.Index]?.Use(0, 0);
        }

        if (Kind == PlanKind.Diagnosis)
        {
            foreach (PlannedBuffer value in _values)
            {
                value.Use(0, 0);
                value.Use(_stages.Length, position + 1);
            }
        }

        foreach ((int index, _) in _slices)
        {
            _gradients[index]!.Use(_stages.Length, position + 1);
            _values[_nodes[index].Inputs[0].Index].Use(_stages.Length, position + 1);
        }

        // What the caller gives is the first in its place, and so lies side by side anyway.
        foreach (PlannedBuffer buffer in _buffers)
            buffer.IsReadWhole |= buffer.LastStage == _stages.Length;

        return unit;
    }

    /// <summary>
    /// Cuts stages where images part or come together, and says how many images a worker takes at once: as many as programs want, unless that is too much to keep or leaves too little for each worker. Where even
    /// one chunk's images are too much, no stage is cut.
    /// </summary>
    private (int Images, int Chunks) ShareWeights(int group)
    {
        for (int stage = 0; stage < _stages.Length; stage++)
            _stages[stage] = _stages[stage] with { Segments = [new(_stages[stage].Steps, IsTogether: false)] };

        int wanted = _programs.Max(program => program.ImagesTogether);
        if (wanted == 1)
            return (group, 1);

        int chunks = Kind == PlanKind.Inference ? 1 : _private.ChunkCount(BatchSize), images = Kind == PlanKind.Inference ? group : (int)(((long)BatchSize + chunks - 1) / chunks);
        Segment[][] segments = [.. _stages.Select(stage => CutIntoSegments(stage.Steps))];
        var kept = new Dictionary<PlannedBuffer, (int First, int Last)>();
        int position = 1;
        foreach (Segment[] stage in segments)
        {
            FindKept(stage, position, kept);
            position += stage.Sum(segment => segment.Steps.Length);
        }

        long most = MostUnitBytes / Math.Max(1, kept.Keys.Where(buffer => buffer.IsPerWorker).Sum(buffer => (long)buffer.ImageLength * sizeof(float)));
        if (most < images)
            return (group, 1);

        wanted = (int)Math.Min(wanted, most);
        int together = Math.Clamp(wanted / images, 1, Math.Max(1, chunks / (2 * _workers)));
        for (int stage = 0; stage < _stages.Length; stage++)
            _stages[stage] = _stages[stage] with { Segments = segments[stage] };

        foreach ((PlannedBuffer buffer, (int first, int last)) in kept)
            buffer.KeepForUnit(first, last);

        foreach (PlanStep step in segments.SelectMany(stage => stage).Where(segment => segment.IsTogether).SelectMany(segment => segment.Steps))
            VisitUses(step, buffer => buffer.IsReadWhole = true);

        return Kind == PlanKind.Inference ? (Math.Max(group, wanted), 1) : (together * images, together);
    }

    private Segment[] CutIntoSegments(PlanStep[] steps)
    {
        var segments = new List<Segment>();
        for (int first = 0, end; first < steps.Length; first = end)
        {
            bool isTogether = IsTogether(steps[first]);
            for (end = first + 1; end < steps.Length && IsTogether(steps[end]) == isTogether;)
                end++;

            segments.Add(new(steps[first..end], isTogether));
        }

        return [.. segments];
    }

    private bool IsTogether(PlanStep step) => step.Pass != Pass.Loss && _programs[step.Node].ImagesTogether > 1;

    /// <summary>
    /// What more than one segment uses, or one that takes images together, a worker keeps for all its images: from the first such segment's first step to the last one's last, for other images go through
    /// all steps of a segment meanwhile.
    /// </summary>
    private void FindKept(Segment[] segments, int position, Dictionary<PlannedBuffer, (int First, int Last)> kept)
    {
        var first = new Dictionary<PlannedBuffer, (int Segment, int Step)>();
        for (int i = 0; i < segments.Length; i++)
        {
            int begin = position, end = position + segments[i].Steps.Length - 1;
            foreach (PlanStep step in segments[i].Steps)
            {
                VisitUses(step, buffer =>
                {
                    first.TryAdd(buffer, (i, begin));
                    if (first[buffer].Segment < i || segments[i].IsTogether)
                        kept[buffer] = (kept.TryGetValue(buffer, out (int First, int Last) before) ? before.First : first[buffer].Step, end);
                });
            }

            position = end + 1;
        }
    }

    /// <summary>Names every buffer that a step reads or writes.</summary>
    private void VisitUses(PlanStep step, Action<PlannedBuffer> use)
    {
        Node node = _nodes[step.Node];
        switch (step.Pass)
        {
            case Pass.Forward:
            case Pass.ForwardAgain:
                if (step.Phase == _programs[step.Node].ForwardPhases - 1)
                    use(_values[step.Node]);

                foreach (Node input in (_programs[step.Node] as RowChain)?.Inputs ?? node.Inputs)
                    use(_values[input.Index]);

                break;
            case Pass.Loss:
                use(_values[step.Node]);
                if (_gradients[step.Node] is { } gradient)
                    use(gradient);

                break;
            default:
                VisitBackwardUses(node, step.Phase, use);
                break;
        }
    }

    private void VisitBackwardUses(Node node, int phase, Action<PlannedBuffer> use)
    {
        LayerProgram program = _programs[node.Index];
        BackwardReads reads = program.BackwardReadsIn(phase);
        use(_gradients[node.Index]!);
        if (reads.HasFlag(BackwardReads.Output))
            use(_values[node.Index]);

        for (int i = 0; i < node.Inputs.Count; i++)
        {
            int input = node.Inputs[i].Index;
            if (reads.HasFlag(BackwardReads.Inputs))
                use(_values[input]);

            if (_gradients[input] is not { } target || phase < program.BackwardPhases - 1)
                continue;

            use(target);
            if (_added[node.Index][i] is { } pair)
                use(pair.Own);
        }
    }

    private void BindViews(bool[] needsGradient)
    {
        foreach (Node node in _nodes)
        {
            NodeBinding binding = _bindings[node.Index];
            binding.Inputs = [.. node.Inputs.Select(input => View(_values[input.Index], binding.Bands))];
            binding.Output = View(_values[node.Index], binding.Bands);
            binding.OutputGradient = View(_gradients[node.Index], binding.Bands);
            binding.InputGradients = new BufferView[node.Inputs.Count];
            for (int i = 0; i < node.Inputs.Count; i++)
            {
                PlannedBuffer? target = _gradients[node.Inputs[i].Index];
                bool shared = target != null && target == _gradients[node.Index];
                if (needsGradient[node.Index] && !shared)
                    binding.InputGradients[i] = View(_added[node.Index][i]?.Own ?? target, binding.Bands);
            }
        }
    }

    /// <summary>Where a buffer lies, to a node that takes so many bands for images. What a worker needs for a band alone is written over by the next.</summary>
    private BufferView View(PlannedBuffer? buffer, int bands) => buffer is not { IsUsed: true } ? default
        : _memory.View(buffer).InBands(bands, buffer is { IsPerWorker: true, IsForUnit: false, IsKeptForBands: false } ? 0 : buffer.ImageLength / bands);

    /// <summary>
    /// What depends on the vector width. A type of its own: code that is shared between results' types holds every width, whatever the instruction set rules out ahead of time.
    /// </summary>
    private readonly record struct Created(LayerProgram[] Programs, BatchOperations Operations, LossProgram? Loss);

    /// <summary>Everything that depends on the vector width, made in one dispatch.</summary>
    private readonly struct Creation(IReadOnlyList<Node> nodes, NodeBinding[] bindings, Loss? loss, Distillation? distillation, int classes, int batchSize)
        : ISimdWork<Created>
    {
        public Created Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            var programs = new LayerProgram[nodes.Count];
            for (int i = 0; i < programs.Length; i++)
                programs[i] = nodes[i].Layer.CreateProgram<TVector>(bindings[i]);

            return new(programs, new BatchOperations<TVector>(), loss == null ? null : new LossProgram<TVector>(loss, distillation, classes, batchSize));
        }
    }
}
