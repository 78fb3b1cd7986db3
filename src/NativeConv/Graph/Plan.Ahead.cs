using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv.Graph;

/// <summary>
/// What a stage reads and writes of the images that come next: a batch leaves the caches between two barriers, and a stage's convolutions ask for it while they compute.
/// </summary>
internal sealed unsafe partial class Plan
{
    /// <summary>Images, or bands, of which a stage touches more than this would push each other out of the second-level cache (of 1 to 2 MB; where it has 512 KB, the third level is as far as they come).</summary>
    private const int MostBytesAhead = 512 * 1024;

    /// <summary>Of a smaller batch a cache still holds what a stage touches.</summary>
    private const int LeastBatchBytes = 2 * 1024 * 1024;

    /// <summary>A queue for each worker; the memory does not move.</summary>
    private readonly OwnQueue[] _queues;

    /// <summary>Gives every segment what it asks for, once buffers have their places; says whether there is one that asks.</summary>
    private bool FindWhatToAskFor()
    {
        bool any = false;
        foreach (Segment[] segments in _stages.Select(stage => stage.Segments))
        {
            for (int i = 0; i < segments.Length; i++)
            {
                segments[i] = segments[i] with { Ahead = BuffersAhead(segments[i]) };
                any |= segments[i].Ahead.Length > 0;
            }
        }

        return any;
    }

    /// <summary>The buffers of a segment that outlive it, where one of its layers can ask for them and they are neither so small nor so large that it would not help.</summary>
    private PlannedBuffer[] BuffersAhead(Segment segment)
    {
        if (!Prefetch.IsSupported || segment.IsTogether || !segment.Steps.Any(CanAsk))
            return [];

        var used = new List<PlannedBuffer>();
        foreach (PlanStep step in segment.Steps)
            VisitUses(step, used.Add);

        // Of several that follow each other in a place the longest stands for all.
        PlannedBuffer[] buffers =
        [
            .. used.Where(buffer => buffer.IsUsed && !buffer.IsPerWorker).GroupBy(buffer => buffer.Offset).Select(place => place.MaxBy(buffer => buffer.ImageLength)!).Take(FetchQueue.Most),
        ];
        long image = buffers.Sum(buffer => (long)buffer.ImageLength * sizeof(float));
        return (segment.Bands > 1 ? image / segment.Bands : image * _size.Group) <= MostBytesAhead && image * BatchSize >= LeastBatchBytes ? buffers : [];
    }

    private bool CanAsk(PlanStep step) => step.Pass != Pass.Loss && _programs[step.Node].CanAsk;

    /// <summary>The worker's queue, filled with what the images after some need. At the end of a chunk that is the next chunk, though another worker may have taken it, or this one goes from the last chunk to the first.</summary>
    private FetchQueue* FillQueue(in Work group, in Segment segment)
    {
        var queue = (FetchQueue*)Unsafe.AsPointer(ref _queues[group.Worker].Queue);
        queue->Clear();
        int next = group.First + group.Count, images = Math.Min(group.Count, (BatchSize * segment.Bands) - next);
        foreach (PlannedBuffer buffer in segment.Ahead)
            queue->Add(View(buffer, segment.Bands).Image(next), (nint)images * (buffer.ImageLength / segment.Bands));

        return queue;
    }

    private void DescribeAhead(StringBuilder text)
    {
        for (int i = 0; i < _stages.Length; i++)
        {
            string[] names = [.. _stages[i].Segments.SelectMany(segment => segment.Ahead).Select(buffer => buffer.Name)];
            if (names.Length > 0)
                text.AppendLine(CultureInfo.InvariantCulture, $"stage {i} asks ahead for the next images': {string.Join(", ", names)}");
        }
    }

    /// <summary>So large that two workers' share no line of a cache, nor a pair of them.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 512)]
    private struct OwnQueue
    {
        public FetchQueue Queue;
    }
}
