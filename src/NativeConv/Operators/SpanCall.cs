using NativeConv.Simd;

namespace NativeConv.Operators;

/// <summary>Work on images by their number, for each vector width.</summary>
internal interface IImageWork
{
    /// <summary>Computes a range of images.</summary>
    void Run<TVector>(int first, int count)
        where TVector : struct, IVector<TVector>;
}

/// <summary>Runs work on all images of a batch.</summary>
internal static class SpanCall
{
    public static void Run<TWork>(TWork work, int images, ExecutionOptions? execution)
        where TWork : struct, IImageWork
    {
        execution ??= new();
        SimdLevels.Dispatch<Adapter<TWork>, int>(execution.Level, new(work, images, execution.ThreadCount));
    }

    private readonly struct Adapter<TWork>(TWork work, int images, int threads) : ISimdWork<int>
        where TWork : struct, IImageWork
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            TWork body = work;
            ImageShares.Run(images, threads, leastItems: 1, ranges =>
            {
                while (ranges.TryTake(out int first, out int count))
                    body.Run<TVector>(first, count);
            });
            return images;
        }
    }
}
