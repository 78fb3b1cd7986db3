using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class NormalizationGuardTests
{
    private const int Pixels = 5;

    [Fact]
    public void Statistics_AnyNumberOfChannels_StayBetweenTheGuards()
    {
        foreach (int channels in GuardedRun.Counts)
        {
            GuardedRun.Of(new Statistics(channels));
            GuardedRun.Of(new Merge(channels));
            GuardedRun.Of(new Coefficients(channels));
            GuardedRun.Of(new InferenceCoefficients(channels));
            GuardedRun.Of(new UpdateRunning(channels));
            GuardedRun.Of(new BackwardCoefficients(channels));
        }
    }

    [Fact]
    public void Sweeps_AnyNumberOfChannels_StayBetweenTheGuards()
    {
        foreach (int channels in GuardedRun.Counts)
        {
            Sweeps<LinearFunction>(channels);
            Sweeps<SiluFunction>(channels);
            GuardedRun.Of(new Pool(channels));
        }
    }

    private static void Sweeps<TActivation>(int channels)
        where TActivation : struct, IActivation
    {
        GuardedRun.Of(new Normalize<TActivation>(channels));
        GuardedRun.Of(new BackwardSums<TActivation>(channels));
        GuardedRun.Of(new BackwardInput<TActivation>(channels));
        GuardedRun.Of(new PooledBackwardInput<TActivation>(channels));
    }

    private readonly record struct Statistics(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            BatchNormalizationKernel.Statistics<TVector>(buffers.Read(Pixels * Channels), Pixels, Channels, buffers.Write(Channels), buffers.Write(Channels));
    }

    private readonly record struct Merge(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.Merge<TVector>(
                7, buffers.Update(Channels), buffers.Update(Channels, low: 0), 3, buffers.Read(Channels), buffers.Read(Channels, low: 0), Channels);
    }

    private readonly record struct Coefficients(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.Coefficients<TVector>(
                buffers.Read(Channels, low: 0), 9, buffers.Read(Channels), 1e-5f, buffers.Write(Channels), buffers.Write(Channels), Channels);
    }

    private readonly record struct InferenceCoefficients(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.InferenceCoefficients<TVector>(
                buffers.Read(Channels, low: 0), buffers.Read(Channels), 1e-5f, buffers.Write(Channels), buffers.Write(Channels), Channels);
    }

    private readonly record struct UpdateRunning(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.UpdateRunning<TVector>(
                buffers.Read(Channels), buffers.Read(Channels, low: 0), 9, 0.1f, buffers.Update(Channels), buffers.Update(Channels, low: 0), Channels);
    }

    private readonly record struct BackwardCoefficients(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.BackwardCoefficients<TVector>(
                buffers.Read(Channels), buffers.Read(Channels), 9, buffers.Read(Channels), buffers.Read(Channels), buffers.Write(Channels), buffers.Write(Channels), Channels);
    }

    private readonly record struct Normalize<TActivation>(int Channels) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.Normalize<TVector, TActivation>(
                buffers.Read(Pixels * Channels), buffers.Read(Channels), buffers.Read(Channels), buffers.Read(Channels), buffers.Write(Pixels * Channels), Pixels, Channels, isFromMemory: true);
    }

    private readonly record struct BackwardSums<TActivation>(int Channels) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.BackwardSums<TVector, TActivation>(
                buffers.Read(Pixels * Channels), buffers.Read(Pixels * Channels), buffers.Read(Channels), buffers.Read(Channels), buffers.Read(Channels),
                buffers.Read(Channels), Pixels, Channels, buffers.Write(Channels), buffers.Write(Channels));
    }

    private readonly record struct BackwardInput<TActivation>(int Channels) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => BatchNormalizationKernel.BackwardInput<TVector, TActivation>(
                buffers.Read(Pixels * Channels), buffers.Read(Pixels * Channels), buffers.Read(Channels), buffers.Read(Channels), buffers.Read(Channels),
                buffers.Read(Channels), buffers.Read(Channels), buffers.Write(Pixels * Channels), Pixels, Channels, isFromMemory: true);
    }

    /// <summary>Two rows of three windows.</summary>
    private readonly record struct Pool(int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => PooledNormalizationKernel.Pool<TVector>(
                buffers.Read(24 * Channels), buffers.Read(Channels), buffers.Write(6 * Channels), buffers.WriteBytes(6 * Channels), windowRows: 2, width: 6, Channels);
    }

    private readonly record struct PooledBackwardInput<TActivation>(int Channels) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => PooledNormalizationKernel.BackwardInput<TVector, TActivation>(
                buffers.Read(24 * Channels), buffers.Read(6 * Channels), buffers.Read<byte>([.. Enumerable.Range(0, 6 * Channels).Select(i => (byte)(i % 4))]), buffers.Read(Channels), buffers.Read(Channels),
                buffers.Read(Channels), buffers.Read(Channels), buffers.Read(Channels), buffers.Write(24 * Channels), windowRows: 2, width: 6, Channels, isFromMemory: true);
    }
}
