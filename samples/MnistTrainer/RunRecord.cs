using System.Diagnostics;
using NativeConv;

namespace MnistTrainer;

/// <summary>
/// Keeps a run's folder in step with its training: takes back that it is finished, and writes down where the images lie and how long each epoch took, since a checkpoint
/// says nothing of the machine.
/// </summary>
internal sealed class RunRecord(RunFolder run, string? dataFolder) : ITrainingCallback
{
    private readonly List<EpochTime> _epochs = [];
    private EpochTime? _unfinished;
    private double _secondsBefore;
    private long _start;

    /// <summary>Of all epochs, and of the one under way.</summary>
    public double TrainSeconds => Times.Sum(epoch => epoch.Seconds);

    public double ImagesPerSecond => Times.Select(epoch => epoch.ImagesPerSecond).DefaultIfEmpty().Average();

    private IEnumerable<EpochTime> Times => _unfinished == null ? _epochs : _epochs.Append(_unfinished);

    public void OnBegin(TrainingContext training)
    {
        run.Reopen();
        run.DataFolder = dataFolder;
        List<EpochTime> times = [.. run.ReadTimes()];
        _epochs.Clear();
        _epochs.AddRange(times.Where(time => time.Epoch <= training.Epochs.Count));
        _unfinished = times.Find(time => time.Epoch == training.Epochs.Count + 1);
        _secondsBefore = _unfinished?.Seconds ?? 0;
        _start = Stopwatch.GetTimestamp();
    }

    public void OnResumePoint(TrainingContext training)
    {
        if (training.IsBetweenEpochs)
            _start = Stopwatch.GetTimestamp();
    }

    public void OnStepEnd(TrainingContext training) =>
        _unfinished = new(training.Epochs.Count + 1, _secondsBefore + Stopwatch.GetElapsedTime(_start).TotalSeconds, training.Progress.ImagesPerSecond);

    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        _epochs.Add(new(epoch.Epoch, _secondsBefore + epoch.TrainSeconds, epoch.ImagesPerSecond));
        _unfinished = null;
        _secondsBefore = 0;
        run.WriteTimes(_epochs);
        return true;
    }

    public void OnEnd(TrainingContext training)
    {
        // Where an error ends the training, it is that which the user should read.
        if (training.Reason == StopReason.Cancelled)
            run.WriteTimes(Times);
    }
}
