using BenchmarkDotNet.Attributes;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Threading;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Computes some of a kernel's items: images, values or rows.</summary>
internal delegate void RangeWork(int worker, int first, int count);

/// <summary>
/// One kernel, one pass, at every level that the machine accelerates and on one thread and all. Threads share the items as in a training step; weights are
/// packed and memory is set aside beforehand, so that what is allocated is the fork alone. Needs a quiet machine.
/// </summary>
[MemoryDiagnoser]
public abstract class KernelBenchmark
{
    private int _workers = 1;
    private Action<int> _work = _ => { };

    public static IEnumerable<SimdLevel> Levels => SimdLevels.Supported;

    public static IEnumerable<int> ThreadCounts => new SortedSet<int> { 1, Workers.DefaultCount };

    [ParamsSource(nameof(Levels))]
    public SimdLevel Level { get; set; }

    [ParamsSource(nameof(ThreadCounts))]
    public int Threads { get; set; }

    private protected abstract int Items { get; }

    [GlobalSetup]
    public void SetUp()
    {
        RangeWork work = SimdLevels.Dispatch<Binding, RangeWork>(Level, new(this));
        int items = Items, workers = Math.Min(Threads, items);
        _workers = workers;
        _work = worker =>
        {
            (int first, int end) = new Share(worker, workers).Of(items);
            work(worker, first, end - first);
        };
    }

    [Benchmark]
    public void Run() => Workers.Run(_workers, _work);

    /// <summary>Sets memory aside and gives what computes with it.</summary>
    private protected abstract RangeWork Bind<TVector>()
        where TVector : struct, IVector<TVector>;

    private readonly struct Binding(KernelBenchmark benchmark) : ISimdWork<RangeWork>
    {
        public RangeWork Run<TVector>()
            where TVector : struct, IVector<TVector> => benchmark.Bind<TVector>();
    }
}
