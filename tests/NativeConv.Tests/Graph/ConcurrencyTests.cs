using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>One model may be used by many threads, and predicting leaves nothing behind.</summary>
public sealed class ConcurrencyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EightThreads_PredictingWhileACopyTrains_GetTheSerialResults(bool isReady)
    {
        Model model = EveryLayer.Build(seed: 3), copy = model.Clone();
        InferenceModel ready = model.ToInference();
        const int Batches = 8, Batch = 5, Rounds = 40;
        float[][] images = [.. Enumerable.Range(0, Batches).Select(i => TestData.Uniform(Batch * model.InputShape.Length, (ulong)i))];
        float[][] expected = [.. images.Select(Predict)];
        float[] weights = Weights(model);

        using var start = new Barrier(Batches + 1);
        int wrong = 0;
        bool trained = false;
        Thread[] threads =
        [
            .. Enumerable.Range(0, Batches).Select(worker => new Thread(() =>
            {
                start.SignalAndWait();
                for (int round = 0; round < Rounds || !Volatile.Read(ref trained); round++)
                {
                    // Everyone reads every batch, starting elsewhere.
                    int batch = (worker + round) % Batches;
                    if (!Predict(images[batch]).AsSpan().SequenceEqual(expected[batch]))
                        Interlocked.Increment(ref wrong);
                }
            })),
            new Thread(() =>
            {
                TrainingSession session = copy.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-2f), Batch, seed: 4);
                start.SignalAndWait();
                for (int step = 0; step < Rounds; step++)
                    session.Step(images[step % Batches], TestData.Labels(Batch, copy.OutputShape.Length, (ulong)step));
                Volatile.Write(ref trained, true);
            }),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        wrong.Should().Be(0, "a prediction depends on the model and the images alone");
        Weights(model).Should().Equal(weights, "a copy's training is no concern of the model");
        Weights(copy).Should().NotEqual(weights, "the copy should have been trained");

        float[] Predict(float[] some)
        {
            var outputs = new float[some.Length / model.InputShape.Length * model.OutputShape.Length];
            if (isReady)
                ready.Predict(some, outputs);
            else
                model.Predict(some, outputs);

            return outputs;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void HundredThousandPredictions_OfATinyModel_LeaveLessThanAMegabyte(bool isReady)
    {
        Model model = new ModelBuilder(4, 4, 1).Conv2D(2, 3).ReLU().Flatten().Dense(2).Build(1);
        model.Execution = new() { ThreadCount = 1 };
        InferenceModel ready = model.ToInference();
        float[] image = TestData.Uniform(model.InputShape.Length, 1), output = new float[model.OutputShape.Length];
        Run(1000);

        // This thread's allocations alone: other tests run beside it. What is never allocated cannot remain.
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(100_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1 << 20);

        void Run(int predictions)
        {
            for (int i = 0; i < predictions; i++)
            {
                if (isReady)
                    ready.Predict(image, output);
                else
                    model.Predict(image, output);
            }
        }
    }

    private static float[] Weights(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
}
