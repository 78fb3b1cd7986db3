namespace NativeConv.Tests.Support;

/// <summary>Does what a test asks at a training's events.</summary>
internal sealed class Recorder : ITrainingCallback
{
    public Action<TrainingContext>? Step { get; init; }

    public Action<TrainingContext, EpochResult>? Epoch { get; init; }

    public Action<TrainingContext>? ResumePoint { get; init; }

    public void OnStepEnd(TrainingContext training) => Step?.Invoke(training);

    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        Epoch?.Invoke(training, epoch);
        return true;
    }

    public void OnResumePoint(TrainingContext training) => ResumePoint?.Invoke(training);
}
