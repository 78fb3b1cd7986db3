namespace NativeConv.Graph;

/// <summary>The two directions of a step, what stands between them, and what runs a second time.</summary>
internal enum Pass
{
    Forward,
    Loss,
    Backward,

    /// <summary>A forward pass once more, whose output was not kept.</summary>
    ForwardAgain,

    /// <summary>A backward pass once more, whose input gradient was not kept.</summary>
    BackwardAgain,
}

/// <summary>One phase of one node, or the loss.</summary>
internal readonly record struct PlanStep(Pass Pass, int Node, int Phase);

/// <summary>What runs without waiting for the whole batch; and whose barrier comes first, where there is one.</summary>
internal sealed record Stage(PlanStep[] Steps, PlanStep? Barrier)
{
    /// <summary>The steps, cut where images part or come together.</summary>
    public Segment[] Segments { get; init; } = [];

    /// <summary>Whether there is a segment for which images come together.</summary>
    public bool BringsTogether => Array.Exists(Segments, segment => segment.IsTogether);
}

/// <summary>Steps of a stage through which a worker carries a few images at a time, or all that it has taken, together.</summary>
internal readonly record struct Segment(PlanStep[] Steps, bool IsTogether)
{
    /// <summary>Whether the last images go first: what the forward pass wrote of them is still in a cache.</summary>
    public bool IsBackward { get; } = Steps[^1].Pass is Pass.Backward or Pass.BackwardAgain;

    /// <summary>Bands of rows in which an image goes through the steps, one after the other; 1 where it goes as a whole.</summary>
    public int Bands { get; init; } = 1;

    /// <summary>By how many bands each step follows the first: one that reads rows of the next band waits for it.</summary>
    public int[] Lags { get; init; } = [];

    /// <summary>Buffers of the whole batch of which the next images', or bands', parts are asked for meanwhile.</summary>
    public PlannedBuffer[] Ahead { get; init; } = [];
}

/// <summary>What a plan is for.</summary>
internal enum PlanKind
{
    /// <summary>Forward only, normalization by running statistics: buffers live no longer than needed.</summary>
    Inference,

    /// <summary>Forward, loss and backward as one run.</summary>
    Training,

    /// <summary>Forward as in training, with every output kept.</summary>
    Diagnosis,

    /// <summary>Forward, then backward from a gradient that the caller gives.</summary>
    ByHand,
}
