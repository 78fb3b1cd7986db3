using NativeConv.Graph;

namespace NativeConv;

/// <summary>
/// How a model runs, in words: stages and the barriers between them, which layers run as one, what a stage fetches of the images that come next, every block of memory and when it is needed, bytes in all. For reading; runs make
/// plans of their own.
/// </summary>
public sealed class ExecutionPlan
{
    private readonly string _text;

    internal ExecutionPlan(Plan plan)
    {
        _text = plan.ToString();
        StageCount = plan.StageCount;
        ChunkCount = plan.ChunkCount;
        Bytes = plan.Bytes;
    }

    /// <summary>Runs of work between two points that need the whole batch. Threads are forked once for all of them.</summary>
    public int StageCount { get; }

    /// <summary>Parts of a training batch whose gradients are summed by themselves, by which threads share it out; 0 for predictions, which threads share by images, and large images by rows.</summary>
    public int ChunkCount { get; }

    /// <summary>Bytes that activations, gradients and scratch take for all threads; parameters and packed weights not counted.</summary>
    public long Bytes { get; }

    /// <summary>The plan in words.</summary>
    public override string ToString() => _text;
}
