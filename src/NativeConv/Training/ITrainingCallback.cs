namespace NativeConv;

/// <summary>Is told how a training goes. All calls come on the thread that trains.</summary>
public interface ITrainingCallback
{
    /// <summary>Before the first step.</summary>
    void OnBegin(TrainingContext training)
    {
    }

    /// <summary>After each step.</summary>
    void OnStepEnd(TrainingContext training)
    {
    }

    /// <summary>After an epoch and its validation.</summary>
    /// <returns>Whether to go on.</returns>
    bool OnEpochEnd(TrainingContext training, EpochResult epoch) => true;

    /// <summary>
    /// Wherever the training can be interrupted and resumed: before the first step, after each step (after the last of an epoch once every callback knows of the
    /// epoch), and once more where it was cancelled.
    /// </summary>
    void OnResumePoint(TrainingContext training)
    {
    }

    /// <summary>After the last step, however it ended.</summary>
    void OnEnd(TrainingContext training)
    {
    }
}
