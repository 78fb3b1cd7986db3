using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Repeats each value a few times, and adds up what was repeated. Both move whole vectors: lanes are picked by tables, of which one serves each place
/// at which a vector can begin among a value's repetitions. Immutable and shared by all workers.
/// </summary>
internal sealed unsafe class ChannelRepetition<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly int _times;

    /// <summary>[begin, lane]: the value that a lane repeats, counted from the one that the vector begins in.</summary>
    private readonly int[] _repeated;

    /// <summary>[repetition, vector, lane]: where a lane finds that repetition of its value, in a vector of so many; and all ones where it is in that vector.</summary>
    private readonly int[] _gathered;
    private readonly float[] _found;

    public ChannelRepetition(int times)
    {
        _times = times;
        _repeated = [.. Enumerable.Range(0, times).SelectMany(begin => Lanes.Select(lane => (begin + lane) / times))];
        int[] places = IsFoldedByVectors
            ? [.. Enumerable.Range(0, times).SelectMany(repetition => Enumerable.Range(0, times).SelectMany(
                vector => Lanes.Select(lane => (lane * times) + repetition - (vector * TVector.Lanes))))]
            : [];
        _gathered = [.. places.Select(place => IsLane(place) ? place : 0)];
        _found = [.. places.Select(place => BitConverter.Int32BitsToSingle(IsLane(place) ? -1 : 0))];
    }

    private static IEnumerable<int> Lanes => Enumerable.Range(0, TVector.Lanes);

    /// <summary>Every lane of a sum takes each of its vectors in hand as often as there are repetitions: beyond so many, value by value is less work.</summary>
    private bool IsFoldedByVectors => _times <= TVector.Lanes / 2;

    private static bool IsLane(int place) => place >= 0 && place < TVector.Lanes;

    /// <summary>to [i, q] = from [i] for each of the repetitions q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Repeat(float* from, nint length, float* to)
    {
        float* end = from + length;
        int begin = 0, step = TVector.Lanes / _times, beginStep = TVector.Lanes % _times, times = _times;
        fixed (int* repeated = _repeated)
        {
            for (; from < end; to += TVector.Lanes)
            {
                int* lanes = repeated + (begin * TVector.Lanes);
                if (end - from >= TVector.Lanes)
                {
                    TVector.Store(to, TVector.Permute(TVector.Load(from), lanes));
                }
                else
                {
                    int left = (int)(end - from);
                    TVector.StorePartial(to, TVector.Permute(TVector.LoadPartial(from, left), lanes), Math.Min(TVector.Lanes, (left * times) - begin));
                }

                from += step;
                begin += beginStep;
                if (begin >= times)
                {
                    begin -= times;
                    from++;
                }
            }
        }
    }

    /// <summary>to [i] = the sum of from [i, q] over the repetitions q, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fold(float* from, float* to, nint length)
    {
        nint i = 0;
        if (IsFoldedByVectors)
        {
            fixed (int* gathered = _gathered)
            fixed (float* found = _found)
            {
                for (; i + TVector.Lanes <= length; i += TVector.Lanes)
                {
                    TVector sum = Gather(from, gathered, found);
                    for (int q = 1, table = _times * TVector.Lanes; q < _times; q++, table += _times * TVector.Lanes)
                        sum += Gather(from, gathered + table, found + table);

                    TVector.Store(to + i, sum);
                    from += _times * TVector.Lanes;
                }
            }
        }

        for (; i < length; i++)
        {
            float sum = *from++;
            for (int q = 1; q < _times; q++)
                sum += *from++;

            to[i] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Gather(float* from, int* gathered, float* found)
    {
        TVector lanes = TVector.Permute(TVector.Load(from), gathered);
        for (int vector = 1, lane = TVector.Lanes; vector < _times; vector++, lane += TVector.Lanes)
            lanes = TVector.Select(TVector.Load(found + lane), TVector.Permute(TVector.Load(from + lane), gathered + lane), lanes);

        return lanes;
    }
}
