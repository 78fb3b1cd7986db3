using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class ActivationGuardTests
{
    public static TheoryData<Activation> Functions => [.. Enum.GetValues<Activation>()];

    [Theory]
    [MemberData(nameof(Functions))]
    public void Activation_AnyCount_StaysBetweenTheGuards(Activation function) => ActivationDispatch.Run<EveryCount, int>(function, default);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RectifierInPlace_AnyCount_StaysBetweenTheGuards(bool isCapped)
    {
        foreach (int count in GuardedRun.Counts)
            GuardedRun.Of(new BackwardInPlace(count, new(IsOn: true, isCapped)));
    }

    private readonly record struct BackwardInPlace(int Count, Rectifier Rectifier) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => Rectifier.Backward<TVector>(buffers.Read(Count, 0, 8), buffers.Update(Count), Count);
    }

    private readonly struct EveryCount : IActivationWork<int>
    {
        public int Run<TActivation>()
            where TActivation : struct, IActivation
        {
            foreach (int count in GuardedRun.Counts)
            {
                GuardedRun.Of(new Forward<TActivation>(count));
                GuardedRun.Of(new Backward<TActivation>(count));
            }

            return GuardedRun.Counts.Count;
        }
    }

    private readonly record struct Forward<TActivation>(int Count) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ActivationKernel.Forward<TVector, TActivation>(buffers.Read(Count, -8, 8), buffers.Write(Count), Count);
    }

    private readonly record struct Backward<TActivation>(int Count) : IGuardedKernel
        where TActivation : struct, IActivation
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ActivationKernel.Backward<TVector, TActivation>(buffers.Read(Count, -8, 8), buffers.Read(Count), buffers.Write(Count), Count);
    }
}
