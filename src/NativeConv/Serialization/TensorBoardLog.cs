using System.Globalization;
using NativeConv.Serialization;

namespace NativeConv;

/// <summary>
/// Writes a training's figures as an event file for TensorBoard: <c>loss/step</c> and <c>learning_rate</c> after steps; <c>loss/train</c>,
/// <c>accuracy/train</c>, <c>images_per_second</c>, <c>loss/validation</c> and <c>accuracy/validation</c> after epochs; all over the number of steps. A resumed training
/// writes another file, and TensorBoard drops what an interrupted one had written beyond the point where it was resumed.
/// </summary>
public sealed class TensorBoardLog : ITrainingCallback
{
    private readonly string _folder;
    private readonly int _everySteps;
    private FileStream? _file;
    private RecordWriter? _records;

    /// <summary>Sets where and how often.</summary>
    /// <param name="folder">The folder, which is created: TensorBoard's <c>--logdir</c> or one below it.</param>
    /// <param name="everySteps">Steps between two records of a step.</param>
    /// <exception cref="ArgumentException">The folder is empty, or the steps are not positive.</exception>
    public TensorBoardLog(string folder, int everySteps = 1)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(everySteps);
        _folder = folder;
        _everySteps = everySteps;
    }

    private static double Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    /// <inheritdoc/>
    public void OnBegin(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        Directory.CreateDirectory(_folder);
        _file = Create();
        _records = new(_file);
        _records.Write(EventMessage.FileVersion(Now));
        _records.Write(EventMessage.Start(Now, training.Step + 1));
    }

    /// <inheritdoc/>
    public void OnStepEnd(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        if (training.Step % _everySteps != 0)
            return;

        _records!.Write(EventMessage.Scalars(Now, training.Step, ("loss/step", training.LastStep.Loss), ("learning_rate", training.LearningRate)));
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(epoch);
        _records!.Write(EventMessage.Scalars(
            Now, training.Step, ("loss/train", epoch.Loss), ("accuracy/train", epoch.Accuracy), ("images_per_second", epoch.ImagesPerSecond)));
        if (epoch.Validation is { } validation)
            _records.Write(EventMessage.Scalars(Now, training.Step, ("loss/validation", validation.Loss), ("accuracy/validation", validation.Accuracy)));

        _file!.Flush();
        return true;
    }

    /// <inheritdoc/>
    public void OnEnd(TrainingContext training) => _file?.Dispose();

    /// <summary>A file of a new name that sorts after older ones, as TensorBoard expects.</summary>
    private FileStream Create()
    {
        long second = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        for (int number = 0; ; number++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{second:D10}.{number:D4}.nativeconv");
            try
            {
                return new(Path.Combine(_folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            }
            catch (IOException) when (File.Exists(Path.Combine(_folder, name)))
            {
            }
        }
    }
}
