using NativeConv.Data;
using NativeConv.Threading;

namespace NativeConv.Training;

/// <summary>
/// Hands out a training's batches as floats. Where images are varied, the batch to come is prepared on another thread while the one before it trains. What a batch holds depends on
/// its epoch and its indices alone: batches may be asked for in any order.
/// </summary>
internal sealed class BatchInput
{
    private readonly Dataset _data;
    private readonly Augmenter? _augmenter;
    private readonly ulong _seed;
    private readonly bool _prefetches;
    private readonly float[] _plain;
    private readonly int[] _nextIndices;
    private readonly Action _prepare;
    private float[] _images, _next = [];
    private int _nextCount, _nextEpoch;
    private Task? _pending;

    /// <param name="data">Where images come from.</param>
    /// <param name="batchSize">The most images a batch has.</param>
    /// <param name="augmentation">How they are varied; null for not at all.</param>
    /// <param name="seed">Decides how.</param>
    /// <param name="prefetches">Whether another thread may prepare the batch to come.</param>
    public BatchInput(Dataset data, int batchSize, Augmentation? augmentation, ulong seed, bool prefetches)
    {
        _data = data;
        _seed = seed;
        _images = new float[batchSize * data.Shape.Length];
        _augmenter = augmentation == null ? null : new(augmentation, data.Shape);
        _plain = augmentation == null ? [] : new float[data.Shape.Length];
        _prefetches = augmentation != null && prefetches;
        _nextIndices = new int[batchSize];
        if (_prefetches)
            _next = new float[_images.Length];

        _prepare = () => Fill(_next, _nextEpoch, _nextIndices.AsSpan(0, _nextCount));
    }

    /// <summary>The images of a batch, valid until the next call.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="indices">Which images.</param>
    /// <param name="following">Which images the next call will ask for, in the same epoch; none where that is not known.</param>
    public ReadOnlySpan<float> Take(int epoch, ReadOnlySpan<int> indices, ReadOnlySpan<int> following)
    {
        _pending?.GetAwaiter().GetResult();
        if (_pending != null && _nextEpoch == epoch && indices.SequenceEqual(_nextIndices.AsSpan(0, _nextCount)))
            (_images, _next) = (_next, _images);
        else
            Fill(_images, epoch, indices);

        _pending = null;
        if (_prefetches && !following.IsEmpty)
        {
            following.CopyTo(_nextIndices);
            (_nextCount, _nextEpoch) = (following.Length, epoch);
            _pending = Workers.Start(_prepare);
        }

        return _images.AsSpan(0, indices.Length * _data.Shape.Length);
    }

    private void Fill(float[] images, int epoch, ReadOnlySpan<int> indices)
    {
        if (_augmenter == null)
        {
            _data.CopyImages(indices, images);
            return;
        }

        for (int i = 0; i < indices.Length; i++)
        {
            _data.CopyImages(indices.Slice(i, 1), _plain);
            _augmenter.Apply(_plain, images.AsSpan(i * _plain.Length, _plain.Length), _seed, epoch, indices[i]);
        }
    }
}
