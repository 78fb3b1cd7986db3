using System.Diagnostics.Metrics;
using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Training;

public sealed class TrainingMetricsTests
{
    [Fact]
    public void Fit_WithAListener_ReportsStepsImagesLossAndDurations()
    {
        // Other tests train in the same process, but on other threads.
        int thread = Environment.CurrentManagedThreadId;
        var seen = new Dictionary<string, List<double>>();
        void Take(Instrument instrument, double value)
        {
            if (Environment.CurrentManagedThreadId != thread)
                return;

            if (!seen.TryGetValue(instrument.Name, out List<double>? values))
                seen.Add(instrument.Name, values = []);

            values.Add(value);
        }

        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "NativeConv")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Take(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Take(instrument, value));
        listener.Start();

        Dataset digits = DrawnDigits.Create(50, seed: 1);
        var losses = new List<double>();
        Model model = new ModelBuilder(28, 28, 1).AveragePool2D(4).Flatten().Dense(10).Build(1);
        History history = model.Fit(digits, digits, new()
        {
            Epochs = 2, BatchSize = 20, Optimizer = new Sgd(0.001f), Callbacks = [new Support.Recorder { Step = training => losses.Add(training.LastStep.Loss) }],
        });

        seen["nativeconv.training.steps"].Should().Equal(1, 1, 1, 1, 1, 1);
        seen["nativeconv.training.images"].Should().Equal(20, 20, 10, 20, 20, 10);
        seen["nativeconv.training.epochs"].Should().Equal(1, 1);
        seen["nativeconv.training.loss"].Should().Equal(losses);
        seen["nativeconv.training.learning_rate"].Should().HaveCount(6).And.OnlyContain(rate => rate == 0.001f);
        seen["nativeconv.training.step.duration"].Should().HaveCount(6).And.OnlyContain(seconds => seconds > 0);
        seen["nativeconv.validation.loss"].Should().Equal(history.Epochs.Select(epoch => epoch.Validation!.Loss));
        seen["nativeconv.validation.accuracy"].Should().Equal(history.Epochs.Select(epoch => epoch.Validation!.Accuracy));
    }
}
