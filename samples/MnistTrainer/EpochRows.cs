using NativeConv;

namespace MnistTrainer;

/// <summary>Prints a row for every epoch.</summary>
internal sealed class EpochRows(Terminal terminal, int epochs) : ITrainingCallback
{
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        terminal.Epoch(epoch, epochs);
        return true;
    }
}
