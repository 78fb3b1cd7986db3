using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>A network's training step on images and labels drawn at random, ours and libtorch's in each memory format in which its first losses are ours.</summary>
internal sealed class ComparedTraining : IDisposable
{
    private const float LearningRate = 1e-4f;

    // How many losses must agree before anything is timed: the first alone would leave gradients and optimizer unchecked.
    private const int ComparedSteps = 3;

    private readonly TrainingSession _session;
    private readonly Tensor _images;
    private readonly int[] _labels;
    private readonly TorchModel[] _formats;

    /// <exception cref="PeerException">libtorch computes something else in every format.</exception>
    public ComparedTraining(BenchmarkedModel network, int batch, int threads)
    {
        Model model = network.Build();
        model.Execution = new() { ThreadCount = threads };
        _images = BenchmarkedModel.Images(model, batch);
        var random = new System.Random(1);
        _labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next(model.OutputShape.Length))];
        Tensor normalized = ModelChain.Normalize(model, _images);
        _formats = [.. new[] { false, true }.Select(channelsLast => new TorchModel(model, normalized, _labels, LearningRate, channelsLast))];
        _session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(LearningRate), batch);
        float[] losses = [.. Enumerable.Range(0, ComparedSteps).Select(_ => Step())];
        Libtorch = Agreement.Agreeing(_formats, peer => peer.RequireLosses($"{network.Name}, batch {batch}", losses));
        if (Libtorch.Count == 0)
            throw new PeerException($"{network.Name}, batch {batch}: {PeerLibraries.Libtorch} computes something else in every memory format.");
    }

    /// <summary>The formats that compute the same.</summary>
    public IReadOnlyList<TorchModel> Libtorch { get; }

    /// <summary>One training step of ours; gives its loss.</summary>
    public float Step() => _session.Step(_images.Span, _labels).Loss;

    public void Dispose()
    {
        foreach (TorchModel format in _formats)
            format.Dispose();
    }
}
