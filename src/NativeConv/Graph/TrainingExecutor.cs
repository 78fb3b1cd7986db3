using NativeConv.Threading;

namespace NativeConv.Graph;

/// <summary>Runs a plan's training steps on the workers, one fork a step: packing weights, every stage, adding up the gradients. A step on one thread allocates nothing.</summary>
internal sealed unsafe class TrainingExecutor : IPhasedWork
{
    /// <summary>The phase of a plan's first stage; packing comes before it, and adding up after the last.</summary>
    private const int FirstStage = 1;

    private readonly Plan _plan;
    private readonly WorkerTeam _team;
    private readonly ulong _seed;
    private int _images;
    private long _step;

    public TrainingExecutor(Plan plan, ulong seed)
    {
        _plan = plan;
        _seed = seed;
        _team = new(this);
    }

    public Plan Plan => _plan;

    private int MergePhase => FirstStage + _plan.StageCount;

    /// <summary>Runs every stage on a batch, and adds the gradients to the parameters'. <paramref name="step"/> numbers what is random.</summary>
    public void Run(ReadOnlySpan<float> images, int count, long step) => Run(images, count, step, MergePhase + 1);

    /// <summary>Runs the forward stages of a plan by hand.</summary>
    public void Forward(ReadOnlySpan<float> images, int count, long step) => Run(images, count, step, FirstStage + _plan.FirstBackwardStage);

    /// <summary>Runs the backward stages of a plan by hand on the batch that went forward last.</summary>
    public void Backward() => _team.Run(_plan.WorkerCount, FirstStage + _plan.FirstBackwardStage, MergePhase + 1);

    int IPhasedWork.Begin(int phase) => phase < FirstStage ? _plan.PreparationCount
        : phase < MergePhase ? _plan.BeginStage(phase - FirstStage, _images)
        : _plan.MergeCount;

    void IPhasedWork.Run(int phase, int part, int worker)
    {
        if (phase < FirstStage)
            _plan.Prepare(part, _seed, _step);
        else if (phase < MergePhase)
            _plan.RunStage(phase - FirstStage, part, worker, _images);
        else
            _plan.Merge(part, _images);
    }

    private void Run(ReadOnlySpan<float> images, int count, long step, int end)
    {
        (_images, _step) = (count, step);
        fixed (float* first = images)
        {
            _plan.SetImages(first);
            _team.Run(_plan.WorkerCount, 0, end);
        }

        GC.KeepAlive(this);
    }
}
