using NativeConv.Random;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Dropout: the same call on the output's gradient gives the input's.</summary>
internal static unsafe class DropoutKernel
{
    private const int Block = 64;

    /// <summary>
    /// y = x / (1 - rate) or 0. Value i is kept where the stream's number at <paramref name="position"/> + i is at least the rate.
    /// </summary>
    public static void Run<TVector>(float* x, float* y, ulong position, nint count, float rate, ulong seed, ulong stream)
        where TVector : struct, IVector<TVector>
    {
        float* factors = stackalloc float[Block];
        float kept = 1 / (1 - rate);
        var random = new RandomStream(seed, StreamPurpose.Dropout, stream) { Position = position };
        for (nint first = 0; first < count; first += Block)
        {
            int length = (int)nint.Min(Block, count - first);
            for (int i = 0; i < length; i++)
                factors[i] = random.NextSingle() >= rate ? kept : 0;

            ElementwiseKernel.Multiply<TVector>(x + first, factors, y + first, length);
        }
    }
}
