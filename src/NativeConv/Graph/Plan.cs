using System.Globalization;
using System.Text;
using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv.Graph;

/// <summary>
/// A graph bound to a batch size, a number of workers and a vector width: programs, stages, and a place in one block of memory for every buffer. A step
/// allocates nothing. The chunks, and so every order of summation, follow from the number of images and the shapes alone.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>A worker carries as many images at once as keep the largest buffer below this.</summary>
    private const int GroupBytes = 64 * 1024;

    private const int MostGroupedImages = 8;

    /// <summary>Where steps share weights between images, what a worker keeps of the images in between stays below this; where a chunk's images take more, nothing is shared.</summary>
    private const int MostUnitBytes = 8 * 1024 * 1024;

    private readonly LossProgram? _loss;
    private readonly BatchOperations _operations;
    private readonly IReadOnlyList<Node> _nodes;
    private readonly LayerProgram[] _programs;
    private readonly NodeBinding[] _bindings;
    private readonly PlannedBuffer[] _values;
    private readonly PlannedBuffer?[] _gradients;
    private readonly List<PlannedBuffer> _buffers = [];
    private readonly PlanMemory _memory;
    private readonly PrivateGradients _private;
    private readonly int _workers;

    /// <summary>Chunks that a worker takes at once where steps share weights between images.</summary>
    private readonly int _unitChunks;
    private readonly PlanSize _size;
    private readonly Stage[] _stages;

    /// <summary>Whether a node runs as a part of a chain that ends at a later one.</summary>
    private readonly bool[] _isInChain;
    private readonly (int Node, Share Share)[] _preparations;
    private readonly (int Node, int Slice)[] _slices;

    /// <summary>For each node the inputs whose gradient goes to a worker's buffer first, to be added to what is there.</summary>
    private readonly (PlannedBuffer Own, PlannedBuffer Target)?[][] _added;

    public Plan(
        Graph graph, ParameterStore parameters, PlanKind kind, int batchSize, int workers, SimdLevel level, Loss? loss, Distillation? distillation = null, PlanMemory? memory = null,
        SharingLimits? sharing = null, BandLimits? bands = null, RecomputeLimits? recompute = null)
    {
        _nodes = graph.Nodes;
        Kind = kind;
        BatchSize = batchSize;
        Level = level;
        _workers = workers;
        bool training = kind is PlanKind.Training or PlanKind.ByHand;
        bool[] needsGradient = NeedsGradient(parameters);
        _bindings = [.. _nodes.Select(node => new NodeBinding
        {
            InputShapes = node.InputShapes(),
            OutputShape = node.Shape,
            BatchSize = batchSize,
            Training = kind != PlanKind.Inference,
            HasBackward = training && needsGradient[node.Index],
            NodeIndex = node.Index,
            Parameters = parameters.Views(node),
            ParametersTrainable = parameters.IsTrained(node),
        })];
        // A diagnosis looks at every node's own output.
        if (kind != PlanKind.Diagnosis)
            Fusion.FuseActivations(_nodes, _bindings);

        if (training)
        {
            Fusion.HandRectifiersToPoolings(_nodes, _bindings);
            Fusion.HandGradientsToConvolutions(_nodes, _bindings);
            Fusion.PoolBeforeNormalizing(_nodes, _bindings);
            Fusion.MarkSparseGradients(_nodes, _bindings);
            CutNodesIntoBands(bands ?? BandLimits.Default);
        }

        _isInChain = new bool[_nodes.Count];
        (_programs, _operations, _loss) = SimdLevels.Dispatch<Creation, Created>(
            level, new Creation(_nodes, _bindings, loss, distillation, graph.Output.Shape.Length, batchSize));

        if (kind != PlanKind.Diagnosis)
            JoinRowChains(training);

        int largest = _nodes.Max(node => node.Shape.Length) * sizeof(float);
        int group = Math.Clamp(GroupBytes / largest, 1, Math.Min(MostGroupedImages, Math.Max(1, batchSize)));
        _stages = CutIntoStages(training, needsGradient);
        _preparations = [.. _nodes.SelectMany(node => Enumerable.Range(0, _programs[node.Index].PrepareShares).Select(share => (node.Index, new Share(share, _programs[node.Index].PrepareShares))))];
        _slices = training
            ? [.. _nodes.Where(node => needsGradient[node.Index])
                .SelectMany(node => Enumerable.Range(0, _programs[node.Index].GradientSlices).Select(slice => (node.Index, slice)))]
            : [];

        (_values, _gradients, _added) = CreateBuffers(training, needsGradient);
        if (training)
            RunAgainWhatIsCheap(graph, needsGradient, recompute ?? RecomputeLimits.Default);

        _private = new(training ? _bindings : [], _programs, batchSize);
        (int unit, _unitChunks) = RecordUses(graph, group);
        CutStagesIntoBands();
        _size = new(batchSize, group, unit, workers);
        _memory = memory ?? new();
        _memory.Place([.. _buffers.Where(buffer => buffer.IsUsed)], _size, _programs.Max(program => program.ScratchLength));
        Parameters = parameters;
        BindViews(needsGradient);
        _queues = FindWhatToAskFor() ? GC.AllocateArray<OwnQueue>(workers, pinned: true) : [];
        if (kind == PlanKind.Inference && workers > 1)
        {
            _shared = CutForSharing(sharing ?? SharingLimits.Default);
            _sharedParts = new int[_shared.Length];
        }
    }

    public PlanKind Kind { get; }

    /// <summary>The most images a step may have.</summary>
    public int BatchSize { get; }

    public SimdLevel Level { get; }

    public int WorkerCount => _workers;

    public int StageCount => _stages.Length;

    /// <summary>Parts of a whole batch that are summed by themselves.</summary>
    public int ChunkCount => Kind == PlanKind.Inference ? 0 : _private.ChunkCount(BatchSize);

    /// <summary>Of everything but parameters and packed weights.</summary>
    public long Bytes => sizeof(float) * (_memory.Length + _private.Length);

    public ParameterStore Parameters { get; }

    public LossProgram? Loss => _loss;

    /// <summary>The first stage of the backward pass that a plan by hand runs on its own.</summary>
    public int FirstBackwardStage { get; private set; }

    /// <summary>Whether there is a backward pass: some layer is trained.</summary>
    public bool HasBackward => _bindings[^1].HasBackward;

    public void SetImages(float* images) => ((InputProgram)_programs[0]).Images = images;

    /// <summary>Where a node's output lies; only buffers for the whole batch outlive a step.</summary>
    public float* Output(Node node) => _bindings[node.Index].Output.Image(0);

    public float* OutputGradient(Node node) => _bindings[node.Index].OutputGradient.Image(0);

    /// <summary>Parts of packing weights, which may run side by side.</summary>
    public int PreparationCount => _preparations.Length;

    /// <summary>One part of packing weights.</summary>
    public void Prepare(int part, ulong seed, long step) => _programs[_preparations[part].Node].Prepare(seed, step, _preparations[part].Share);

    /// <summary>What must happen between the stage before and this one; gives how many units of images workers may take.</summary>
    public int BeginStage(int stage, int images)
    {
        if (_stages[stage].Barrier is { Pass: Pass.Forward } forward)
            _programs[forward.Node].ForwardBarrier(forward.Phase, images * _bindings[forward.Node].Bands);
        else if (_stages[stage].Barrier is { Pass: Pass.Backward } backward)
            _programs[backward.Node].BackwardBarrier(backward.Phase, images * _bindings[backward.Node].Bands, _private.Row(0));

        return UnitCount(stage, images);
    }

    /// <summary>A unit's part of a stage: chunks, whose sums are their own whichever worker takes them.</summary>
    public void RunStage(int stage, int unit, int worker, int images)
    {
        int chunks = _private.ChunkCount(images);
        (int firstChunk, int endChunk) = new Share(unit, UnitCount(stage, images)).Of(chunks);
        for (int chunk = firstChunk; stage == 0 && chunk < endChunk; chunk++)
            _private.Clear(chunk);

        int first = new Share(firstChunk, chunks).Of(images).First, end = new Share(endChunk - 1, chunks).Of(images).End;
        var all = new Work(first, end - first, worker, _memory.Scratch(worker), null);
        foreach (Segment segment in _stages[stage].Segments)
        {
            if (segment.IsTogether)
            {
                foreach (PlanStep step in segment.Steps)
                {
                    for (int chunk = firstChunk; step.Pass == Pass.Backward && chunk < endChunk; chunk++)
                        _programs[step.Node].Backward(step.Phase, Chunk(chunk));

                    RunTogether(step, all);
                }

                continue;
            }

            for (int i = firstChunk; i < endChunk; i++)
                RunByGroups(segment, Chunk(segment.IsBackward ? firstChunk + endChunk - 1 - i : i));
        }

        Work Chunk(int chunk)
        {
            (int start, int stop) = new Share(chunk, chunks).Of(images);
            return new(start, stop - start, worker, _memory.Scratch(worker), _private.Row(chunk), start - first);
        }
    }

    /// <summary>Some steps of a stage, a few images at a time.</summary>
    private void RunByGroups(in Segment segment, in Work work)
    {
        if (segment.Bands > 1)
        {
            RunByBands(segment, work);
            return;
        }

        for (int done = 0; done < work.Count; done += _size.Group)
        {
            Work group = work.Part(done, Math.Min(_size.Group, work.Count - done));
            if (segment.Ahead.Length > 0)
                group = group.WithAhead(FillQueue(group, segment));

            foreach (PlanStep step in segment.Steps)
                Run(step, group.InBands(_bindings[step.Node].Bands));
        }
    }

    /// <summary>A step that shares its weights between all images that a worker has taken, but for what is a chunk's own.</summary>
    private void RunTogether(PlanStep step, in Work work)
    {
        if (step.Pass == Pass.Forward)
        {
            _programs[step.Node].Forward(step.Phase, work);
            return;
        }

        _programs[step.Node].BackwardInputs(work);
        AddSharedGradients(step.Node, work, bands: 1);
    }

    /// <summary>What a worker takes at once are chunks of a batch; some of them where steps of the stage share weights between more images.</summary>
    private int UnitCount(int stage, int images)
    {
        int chunks = _private.ChunkCount(images);
        return _stages[stage].BringsTogether ? (chunks + _unitChunks - 1) / _unitChunks : chunks;
    }

    /// <summary>Parts of adding the step's gradients to the parameters': slices of what was not summed privately, and ranges of the tree over the chunks' private sums.</summary>
    public int MergeCount => _slices.Length + _workers;

    /// <summary>One part of adding the gradients up.</summary>
    public void Merge(int part, int images)
    {
        if (part < _slices.Length)
            _programs[_slices[part].Node].AddGradientSlice(_slices[part].Slice, images);
        else
            _private.AddTo(_operations, new(part - _slices.Length, _workers), images);
    }

    /// <summary>
    /// The plan in words: stages, barriers, what is asked for ahead of time, buffers, bytes. A name with ' is a backward pass, # a phase after the first; what is in round brackets runs again, in square ones
    /// in the same sweep, in curly ones for all images that a worker has taken, together; layers joined by + run band by band.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        string batch = Kind == PlanKind.Inference ? "any batch" : $"batch {BatchSize}";
        text.AppendLine(CultureInfo.InvariantCulture, $"{Kind} plan: {batch}, {_workers} workers, {Level}, {_size.Group} images at a time, {_size.Unit} together, {ChunkCount} chunks");
        for (int i = 0; i < _stages.Length; i++)
        {
            if (_stages[i].Barrier is { } barrier)
                text.AppendLine(CultureInfo.InvariantCulture, $"barrier: {Word(barrier)}");

            string bands = _stages[i].Segments is [{ Bands: > 1 } cut] ? $", {cut.Bands} bands an image" : "";
            text.AppendLine(CultureInfo.InvariantCulture, $"stage {i}{bands}: {string.Join(' ', _stages[i].Segments.Select(Words))}");
        }

        DescribeAhead(text);
        if (_shared.Length > 0)
        {
            string shared = string.Join(' ', _shared.Select(steps => $"{string.Join(' ', steps.Steps.Where(IsNamed).Select(Word))}/{SharedParts(steps, images: 1)}"));
            text.AppendLine(CultureInfo.InvariantCulture, $"an image that workers share, and into how many parts: {shared}");
        }

        foreach (PlannedBuffer buffer in _buffers.Where(buffer => buffer.IsUsed))
        {
            long bytes = sizeof(float) * _size.Length(buffer);
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"  {buffer.Name}: {(buffer.IsPerWorker ? "per worker" : "whole batch")}, {bytes:N0} bytes, stages {buffer.FirstStage} to {buffer.LastStage}");
        }

        text.AppendLine(CultureInfo.InvariantCulture,
            $"bytes: {_memory.BatchFloats * sizeof(float):N0} for the batch, {_memory.WorkerFloats * sizeof(float):N0} a worker, " +
            $"{(long)_private.Length * sizeof(float):N0} private gradients, {Bytes:N0} in all");
        return text.ToString();
    }

    private string Words(Segment segment)
    {
        string words = string.Join(' ', segment.Steps.Where(IsNamed).Select(Word));
        return segment.IsTogether ? $"{{{words}}}" : words;
    }

    /// <summary>Whether a step does anything under its own name.</summary>
    private bool IsNamed(PlanStep step) =>
        (step.Pass != Pass.Backward || !_bindings[step.Node].IsGradientHandedOn) && (_programs[step.Node] is RowChain || !_bindings[step.Node].IsFusedAway);

    private string Word(PlanStep step)
    {
        NodeBinding binding = _bindings[step.Node];
        if (step.Pass == Pass.Forward && _programs[step.Node] is RowChain chain)
            return string.Join('+', chain.Nodes.Where(node => !_bindings[node.Index].IsFusedAway).Select(node => node.Name + Fused(_bindings[node.Index].FusedActivation)));

        string name = _nodes[step.Node].Name, phase = step.Phase > 0 ? $"#{step.Phase}" : "";
        string fused = Fused(step.Pass is Pass.Forward or Pass.ForwardAgain ? binding.FusedActivation : binding.BackwardActivation);
        return step.Pass switch
        {
            Pass.Forward => name + phase + fused,
            Pass.ForwardAgain => $"({name}{phase}{fused})",
            Pass.Loss => "loss",
            Pass.Backward when binding.Pooling is { } pooling => $"{_nodes[pooling.NodeIndex].Name}'{Fused(pooling.BackwardActivation)}+{name}'{phase}{fused}",
            Pass.Backward => $"{name}'{phase}{fused}",
            _ => $"({name}'{phase}{fused})",
        };
    }

    private static string Fused(Activation function) => function == Activation.Linear ? "" : $"[{function}]";

    private void Run(in PlanStep step, in Work work)
    {
        switch (step.Pass)
        {
            case Pass.Forward:
            case Pass.ForwardAgain:
                _programs[step.Node].Forward(step.Phase, work);
                break;
            case Pass.BackwardAgain:
                _programs[step.Node].Backward(step.Phase, work);
                break;
            case Pass.Loss:
                NodeBinding output = _bindings[step.Node];
                _loss!.Run(output.Output.At(work), output.OutputGradient.IsNull ? null : output.OutputGradient.At(work), work.First, work.Count);
                break;
            default:
                _programs[step.Node].Backward(step.Phase, work);
                if (_programs[step.Node].ImagesTogether > 1)
                    _programs[step.Node].BackwardInputs(work);

                if (step.Phase == _programs[step.Node].BackwardPhases - 1)
                    AddSharedGradients(step.Node, work, _bindings[step.Node].Bands);
                break;
        }
    }

    /// <summary>Adds a node's gradients to what is there already, of images or of so many bands each.</summary>
    private void AddSharedGradients(int node, in Work work, int bands)
    {
        (PlannedBuffer Own, PlannedBuffer Target)?[] added = _added[node];
        for (int i = 0; i < added.Length; i++)
        {
            if (added[i] is not { } pair)
                continue;

            _operations.AddTo(View(pair.Own, bands).At(work), View(pair.Target, bands).At(work), (nint)work.Count * (pair.Own.ImageLength / bands));
        }
    }
}
