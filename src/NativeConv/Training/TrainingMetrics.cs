using System.Diagnostics.Metrics;

namespace NativeConv.Training;

/// <summary>
/// What a process can watch of its trainings with <c>dotnet-counters</c>, OpenTelemetry or a <see cref="MeterListener"/>, under the meter NativeConv. Instruments are
/// the process's own by their nature; nothing reads them back.
/// </summary>
internal static class TrainingMetrics
{
    private static readonly Meter Meter = new("NativeConv");

    private static readonly Counter<long> Steps = Meter.CreateCounter<long>("nativeconv.training.steps", "{step}", "Training steps done.");
    private static readonly Counter<long> Images = Meter.CreateCounter<long>("nativeconv.training.images", "{image}", "Images trained on.");
    private static readonly Counter<long> Epochs = Meter.CreateCounter<long>("nativeconv.training.epochs", "{epoch}", "Epochs finished.");

    private static readonly Histogram<double> StepDuration = Meter.CreateHistogram<double>(
        "nativeconv.training.step.duration", "s", "How long a step took, from loading its images to the change of the weights.");

    private static readonly Gauge<double> Loss = Meter.CreateGauge<double>("nativeconv.training.loss", "1", "The last step's mean loss.");
    private static readonly Gauge<double> LearningRate = Meter.CreateGauge<double>("nativeconv.training.learning_rate", "1", "The last step's learning rate.");
    private static readonly Gauge<double> ValidationLoss = Meter.CreateGauge<double>("nativeconv.validation.loss", "1", "The last epoch's validation loss.");

    private static readonly Gauge<double> ValidationAccuracy = Meter.CreateGauge<double>(
        "nativeconv.validation.accuracy", "1", "The last epoch's validation accuracy, 0 to 1.");

    public static void Step(int images, StepResult step, float learningRate, TimeSpan duration)
    {
        Steps.Add(1);
        Images.Add(images);
        StepDuration.Record(duration.TotalSeconds);
        Loss.Record(step.Loss);
        LearningRate.Record(learningRate);
    }

    public static void Epoch(EpochResult epoch)
    {
        Epochs.Add(1);
        if (epoch.Validation is not { } validation)
            return;

        ValidationLoss.Record(validation.Loss);
        ValidationAccuracy.Record(validation.Accuracy);
    }
}
