using NativeConv;

namespace MnistTrainer;

/// <summary>
/// Keeps a run's folder in step with its training: takes back that it is finished, and writes down where the images lie and how long each epoch took, since a checkpoint
/// says nothing of the machine.
/// </summary>
internal sealed class RunRecord(RunFolder run, string? dataFolder) : ITrainingCallback
{
    private readonly List<EpochTime> _epochs = [];

    public double TrainSeconds => _epochs.Sum(epoch => epoch.Seconds);

    public double ImagesPerSecond => _epochs.Count == 0 ? 0 : _epochs.Average(epoch => epoch.ImagesPerSecond);

    public void OnBegin(TrainingContext training)
    {
        run.Reopen();
        run.DataFolder = dataFolder;
        _epochs.Clear();
        _epochs.AddRange(run.ReadTimes().Where(time => time.Epoch <= training.Epochs.Count));
    }

    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        _epochs.Add(new(epoch.Epoch, epoch.TrainSeconds, epoch.ImagesPerSecond));
        run.WriteTimes(_epochs);
        return true;
    }
}
