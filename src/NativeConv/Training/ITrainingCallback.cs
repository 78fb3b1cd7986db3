namespace NativeConv;

/// <summary>Is told of a training's epochs.</summary>
public interface ITrainingCallback
{
    /// <summary>Before the first step.</summary>
    void OnBegin(Model model)
    {
    }

    /// <summary>After an epoch and its validation.</summary>
    /// <returns>Whether to go on.</returns>
    bool OnEpochEnd(Model model, EpochResult epoch) => true;

    /// <summary>After the last step, however it ended.</summary>
    void OnEnd(Model model)
    {
    }
}
