using NativeConv.Random;

namespace NativeConv;

/// <summary>
/// The order in which a training run sees its images: every epoch a fresh permutation, cut into batches of which the last may be
/// smaller. An epoch's order depends on the seed and the epoch alone, so any batch of any epoch can be had again. Allocates once.
/// </summary>
public sealed class ShuffledBatches
{
    private readonly int[] _order;
    private readonly int _batchSize;
    private readonly ulong _seed;

    /// <summary>Prepares epoch 0.</summary>
    /// <param name="count">How many images there are, at least 1.</param>
    /// <param name="batchSize">How many images a full batch has, at least 1.</param>
    /// <param name="seed">Equal seeds give equal orders on every machine.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is below 1.</exception>
    public ShuffledBatches(int count, int batchSize, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        _order = new int[count];
        _batchSize = batchSize;
        _seed = seed;
        StartEpoch(0);
    }

    /// <summary>How many batches an epoch has: count / batch size, rounded up.</summary>
    public int Count => (int)(((long)_order.Length + _batchSize - 1) / _batchSize);

    /// <summary>The indices of the images of one batch of the current epoch, valid until the next <see cref="StartEpoch"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The batch is not 0 to below <see cref="Count"/>.</exception>
    public ReadOnlySpan<int> this[int batch]
    {
        get
        {
            if ((uint)batch >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(batch), batch, $"An epoch has {Count} batches, counted from 0.");

            int start = batch * _batchSize;
            return _order.AsSpan(start, Math.Min(_batchSize, _order.Length - start));
        }
    }

    /// <summary>Draws the order of one epoch (Fisher and Yates' shuffle).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative.</exception>
    public void StartEpoch(int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        for (int i = 0; i < _order.Length; i++)
            _order[i] = i;

        var random = new RandomStream(_seed, StreamPurpose.Shuffle, (ulong)epoch);
        for (int last = _order.Length - 1; last > 0; last--)
        {
            int other = (int)random.NextBelow((uint)last + 1);
            (_order[last], _order[other]) = (_order[other], _order[last]);
        }
    }
}
