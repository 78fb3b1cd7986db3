using System.Globalization;
using System.Text;
using NativeConv.Serialization;

namespace NativeConv;

/// <summary>
/// Writes what each epoch gave as a table of comma-separated values. The file is replaced as a whole after every epoch, earlier ones of a resumed training included, and holds no
/// times: equal trainings have equal files.
/// </summary>
public sealed class CsvLog : ITrainingCallback
{
    private readonly string _path;

    /// <summary>Sets the file.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public CsvLog(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
    }

    /// <inheritdoc/>
    public void OnBegin(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        AtomicFile.DeleteLeftovers(_path);
        Write(training.Epochs);
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        Write(training.Epochs);
        return true;
    }

    private void Write(IReadOnlyList<EpochResult> epochs)
    {
        var text = new StringBuilder("epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate\n");
        foreach (EpochResult e in epochs)
        {
            text.Append(
                CultureInfo.InvariantCulture, $"{e.Epoch},{e.Loss:R},{e.Accuracy:R},{e.Validation?.Loss:R},{e.Validation?.Accuracy:R},{e.LearningRate:R}\n");
        }

        AtomicFile.Write(_path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
