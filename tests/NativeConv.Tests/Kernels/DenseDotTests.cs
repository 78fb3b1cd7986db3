using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>Dense layers of few outputs around the sides of their blocks: 4 outputs, 2 and 8 images, 384 inputs.</summary>
public sealed class DenseDotTests
{
    private static readonly int[] Inputs = [1, 15, 16, 17, 383, 384, 385, 1000], Images = [1, 2, 3, 8, 9, 19];

    [Fact]
    public void WholeNumbers_AnySize_AreExactAtEveryLevel()
    {
        foreach (int inputs in Inputs)
        {
            for (int outputs = 1; outputs <= 16; outputs++)
            {
                float[] w = TestData.Integers(inputs * outputs, 1), b = TestData.Integers(outputs, 2), x = TestData.Integers(Images[^1] * inputs, 3);
                float[] expected = new float[Images[^1] * outputs];
                for (int i = 0; i < expected.Length; i++)
                {
                    int output = i % outputs;
                    expected[i] = b[output];
                    for (int k = 0; k < inputs; k++)
                        expected[i] += x[(i / outputs * inputs) + k] * w[(k * outputs) + output];
                }

                foreach (SimdLevel level in SimdLevels.Callable)
                {
                    foreach (int images in Images)
                        Forward(level, inputs, outputs, images, x, w, b).Should().Equal(expected[..(images * outputs)], "{0}, {1} -> {2}, {3} images", level, inputs, outputs, images);
                }
            }
        }
    }

    [Fact]
    public void Fractions_EveryLevel_GivesTheSameBits()
    {
        if (!SimdLevels.HasFusedMultiplyAdd)
            return;

        foreach (int inputs in Inputs)
        {
            foreach (int outputs in (int[])[1, 3, 10])
            {
                float[] w = TestData.Uniform(inputs * outputs, 1), b = TestData.Uniform(outputs, 2), x = TestData.Uniform(9 * inputs, 3);
                float[] expected = Forward(SimdLevels.Default, inputs, outputs, 9, x, w, b);
                foreach (SimdLevel level in SimdLevels.Callable)
                    Forward(level, inputs, outputs, 9, x, w, b).Should().Equal(expected, "{0}, {1} -> {2}", level, inputs, outputs);
            }
        }
    }

    private static float[] Forward(SimdLevel level, int inputs, int outputs, int images, float[] x, float[] w, float[] b) =>
        SimdLevels.Dispatch<Work, float[]>(level, new(inputs, outputs, images, x, w, b));

    private readonly record struct Work(int Inputs, int Outputs, int Images, float[] X, float[] W, float[] B) : ISimdWork<float[]>
    {
        public unsafe float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            var kernel = new DenseKernel<TVector>(Inputs, Outputs);
            float[] packed = new float[kernel.ForwardPackedLength], y = new float[Images * Outputs];
            fixed (float* x = X, w = W, b = B, p = packed, to = y)
            {
                kernel.PackForward(w, b, p, Share.All);
                kernel.Forward(x, p, b, to, Images);
            }

            return y;
        }
    }
}
