namespace NativeConv;

/// <summary>What a training gave, epoch by epoch.</summary>
/// <param name="Epochs">The epochs that were finished.</param>
/// <param name="Reason">Why it ended.</param>
/// <param name="Steps">Steps done.</param>
public sealed record History(IReadOnlyList<EpochResult> Epochs, StopReason Reason, long Steps)
{
    /// <summary>Time spent training, evaluation apart.</summary>
    public double TrainSeconds => Epochs.Sum(epoch => epoch.TrainSeconds);
}
