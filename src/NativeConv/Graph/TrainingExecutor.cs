using NativeConv.Threading;

namespace NativeConv.Graph;

/// <summary>Runs a plan's training stages on the workers, one fork a stage. Keeps its delegates, so that a step on one thread allocates nothing.</summary>
internal sealed unsafe class TrainingExecutor
{
    private readonly Plan _plan;
    private readonly Action<int> _prepare, _stageBody, _merge;
    private readonly ulong _seed;
    private int _stage, _images;
    private long _step;

    public TrainingExecutor(Plan plan, ulong seed)
    {
        _plan = plan;
        _seed = seed;
        _prepare = worker => _plan.Prepare(worker, _seed, _step);
        _stageBody = worker => _plan.RunStage(_stage, worker, _images);
        _merge = worker => _plan.Merge(worker, _images);
    }

    public Plan Plan => _plan;

    /// <summary>Runs every stage on a batch, and adds the gradients to the parameters'. <paramref name="step"/> numbers what is random.</summary>
    public void Run(ReadOnlySpan<float> images, int count, long step)
    {
        Begin(count, step);
        fixed (float* first = images)
        {
            _plan.SetImages(first);
            RunStages(0, _plan.StageCount);
        }

        Merge();
        GC.KeepAlive(this);
    }

    /// <summary>Runs the forward stages of a plan by hand.</summary>
    public void Forward(ReadOnlySpan<float> images, int count, long step)
    {
        Begin(count, step);
        fixed (float* first = images)
        {
            _plan.SetImages(first);
            RunStages(0, _plan.FirstBackwardStage);
        }
    }

    /// <summary>Runs the backward stages of a plan by hand on the batch that went forward last.</summary>
    public void Backward()
    {
        RunStages(_plan.FirstBackwardStage, _plan.StageCount);
        Merge();
    }

    private void Begin(int count, long step)
    {
        _images = count;
        _step = step;
        Workers.Run(_plan.WorkerCount, _prepare);
    }

    private void RunStages(int first, int end)
    {
        for (int stage = first; stage < end; stage++)
        {
            _plan.BeginStage(stage, _images);
            _stage = stage;
            Workers.Run(_plan.WorkerCount, _stageBody);
        }
    }

    private void Merge() => Workers.Run(_plan.WorkerCount, _merge);
}
