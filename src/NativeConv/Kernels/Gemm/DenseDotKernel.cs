using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// A dense layer of few outputs, y [images, outputs] = b + x [images, inputs] w [outputs, inputs]: dot products over 16 virtual lanes of the inputs, each adding in order, then a fixed tree and
/// the bias. Weights that outgrow the caches are what it costs: a block of inputs is read once for all outputs, lanes and images before the next. Registers: 4 outputs by 2 images of sums.
/// </summary>
internal static unsafe class DenseDotKernel
{
    /// <summary>Up to so many outputs the sum over inputs is what fills vectors.</summary>
    public const int MostOutputs = 16;

    private const int Lanes = TreeSum.Values;

    /// <summary>Inputs of a block, whose weights stay in the first-level cache, and images that share it.</summary>
    private const int BlockInputs = 384, BlockImages = 8;

    public static void Run<TVector>(float* x, int inputs, float* weights, int outputs, float* bias, float* y, int images)
        where TVector : struct, IVector<TVector>
    {
        float* sums = stackalloc float[BlockImages * MostOutputs * Lanes];
        for (int first = 0; first < images; first += BlockImages)
        {
            int count = Math.Min(BlockImages, images - first);
            new Span<float>(sums, count * MostOutputs * Lanes).Clear();
            for (int input = 0; input < inputs; input += BlockInputs)
                Block<TVector>(x + input, weights + input, inputs, Math.Min(BlockInputs, inputs - input), outputs, count, sums);

            for (int image = 0; image < count; image++, y += outputs)
            {
                for (int output = 0; output < outputs; output++)
                    y[output] = TreeSum.Of(sums + (((image * MostOutputs) + output) * Lanes)) + (bias == null ? 0 : bias[output]);
            }

            x += (nint)count * inputs;
        }
    }

    /// <summary>Adds a block of inputs to every image's sums.</summary>
    private static void Block<TVector>(float* x, float* weights, nint pitch, int length, int outputs, int images, float* sums)
        where TVector : struct, IVector<TVector>
    {
        for (int output = 0; output < outputs;)
        {
            int rows = outputs - output >= 4 ? 4 : outputs - output >= 2 ? 2 : 1;
            for (int image = 0; image < images; image += 2)
            {
                float* from = x + (image * pitch), w = weights + (output * pitch), sum = sums + (((image * MostOutputs) + output) * Lanes);
                for (int lane = 0; lane < Lanes; lane += TVector.Lanes)
                {
                    if (image + 1 < images)
                        Outputs<TVector, N2>(rows, from, w, pitch, lane, length, sum + lane);
                    else
                        Outputs<TVector, N1>(rows, from, w, pitch, lane, length, sum + lane);
                }
            }

            output += rows;
        }
    }

    private static void Outputs<TVector, TImages>(int rows, float* x, float* weights, nint pitch, int lane, int length, float* sums)
        where TVector : struct, IVector<TVector>
        where TImages : struct, ISize
    {
        if (rows == 4)
            Tile<TVector, TImages, N4>(x, weights, pitch, lane, length, sums);
        else if (rows == 2)
            Tile<TVector, TImages, N2>(x, weights, pitch, lane, length, sums);
        else
            Tile<TVector, TImages, N1>(x, weights, pitch, lane, length, sums);
    }

    /// <summary>Every sixteenth input from a lane on, for one vector of lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TVector, TImages, TOutputs>(float* x, float* weights, nint pitch, int lane, int length, float* sums)
        where TVector : struct, IVector<TVector>
        where TImages : struct, ISize
        where TOutputs : struct, ISize
    {
        const int next = MostOutputs * Lanes;
        TVector a0 = TVector.Load(sums), a1 = TVector.Zero, a2 = TVector.Zero, a3 = TVector.Zero, b0 = TVector.Zero, b1 = TVector.Zero, b2 = TVector.Zero, b3 = TVector.Zero;
        if (TOutputs.Value > 1)
            a1 = TVector.Load(sums + Lanes);

        if (TOutputs.Value > 2)
        {
            a2 = TVector.Load(sums + (2 * Lanes));
            a3 = TVector.Load(sums + (3 * Lanes));
        }

        if (TImages.Value > 1)
        {
            b0 = TVector.Load(sums + next);
            if (TOutputs.Value > 1)
                b1 = TVector.Load(sums + next + Lanes);

            if (TOutputs.Value > 2)
            {
                b2 = TVector.Load(sums + next + (2 * Lanes));
                b3 = TVector.Load(sums + next + (3 * Lanes));
            }
        }

        nint third = 3 * pitch;
        float* end = x + length;
        x += lane;
        weights += lane;
        for (; x + TVector.Lanes <= end; x += Lanes, weights += Lanes)
        {
            TVector first = TVector.Load(x), second = TImages.Value > 1 ? TVector.Load(x + pitch) : TVector.Zero, w = TVector.Load(weights);
            TVector.Accumulate(ref a0, w, first);
            if (TImages.Value > 1)
                TVector.Accumulate(ref b0, w, second);

            if (TOutputs.Value > 1)
            {
                w = TVector.Load(weights + pitch);
                TVector.Accumulate(ref a1, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b1, w, second);
            }

            if (TOutputs.Value > 2)
            {
                w = TVector.Load(weights + (2 * pitch));
                TVector.Accumulate(ref a2, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b2, w, second);

                w = TVector.Load(weights + third);
                TVector.Accumulate(ref a3, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b3, w, second);
            }
        }

        int rest = (int)(end - x);
        if (rest > 0)
        {
            TVector first = TVector.LoadPartial(x, rest), second = TImages.Value > 1 ? TVector.LoadPartial(x + pitch, rest) : TVector.Zero, w = TVector.LoadPartial(weights, rest);
            TVector.Accumulate(ref a0, w, first);
            if (TImages.Value > 1)
                TVector.Accumulate(ref b0, w, second);

            if (TOutputs.Value > 1)
            {
                w = TVector.LoadPartial(weights + pitch, rest);
                TVector.Accumulate(ref a1, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b1, w, second);
            }

            if (TOutputs.Value > 2)
            {
                w = TVector.LoadPartial(weights + (2 * pitch), rest);
                TVector.Accumulate(ref a2, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b2, w, second);

                w = TVector.LoadPartial(weights + third, rest);
                TVector.Accumulate(ref a3, w, first);
                if (TImages.Value > 1)
                    TVector.Accumulate(ref b3, w, second);
            }
        }

        TVector.Store(sums, a0);
        if (TOutputs.Value > 1)
            TVector.Store(sums + Lanes, a1);

        if (TOutputs.Value > 2)
        {
            TVector.Store(sums + (2 * Lanes), a2);
            TVector.Store(sums + (3 * Lanes), a3);
        }

        if (TImages.Value > 1)
        {
            TVector.Store(sums + next, b0);
            if (TOutputs.Value > 1)
                TVector.Store(sums + next + Lanes, b1);

            if (TOutputs.Value > 2)
            {
                TVector.Store(sums + next + (2 * Lanes), b2);
                TVector.Store(sums + next + (3 * Lanes), b3);
            }
        }
    }
}
