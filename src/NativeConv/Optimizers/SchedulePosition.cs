namespace NativeConv;

/// <summary>Where a step lies in a training.</summary>
/// <param name="Step">The step, from 0.</param>
/// <param name="Steps">Steps of the whole training.</param>
/// <param name="StepsPerEpoch">Steps of an epoch, at least 1.</param>
public readonly record struct SchedulePosition(long Step, long Steps, int StepsPerEpoch)
{
    /// <summary>The epoch that the step belongs to, from 0.</summary>
    public long Epoch => Step / StepsPerEpoch;
}
