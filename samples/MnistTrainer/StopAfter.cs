using NativeConv;

namespace MnistTrainer;

/// <summary>Cancels the training after so many steps of this process.</summary>
internal sealed class StopAfter(int steps, CancellationTokenSource stop) : ITrainingCallback
{
    private int _done;

    public void OnStepEnd(TrainingContext training)
    {
        if (++_done == steps)
            stop.Cancel();
    }
}
