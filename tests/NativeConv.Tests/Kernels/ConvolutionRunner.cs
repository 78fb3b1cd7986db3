using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;
using NativeConv.Tests.Support;

namespace NativeConv.Tests.Kernels;

/// <summary>Runs a convolution algorithm at any level on guarded memory, so that an access outside any buffer faults.</summary>
internal static unsafe class ConvolutionRunner
{
    private const int Shares = 3;

    public sealed record Result(float[] Y, float[] Dx, float[] Dw)
    {
        /// <summary>The weight gradient added up by bands of rows, where there is such.</summary>
        public float[] DwOfBands { get; init; } = [];
    }

    public static Result Dense(SimdLevel level, ConvolutionCase c, float[] x, float[] w, float[]? b, float[] dy, Guard guard = Guard.After) =>
        SimdLevels.Dispatch<Work, Result>(level, new(c, Multiplier: 0, x, w, b, dy, guard));

    /// <summary>The same where most of dy is zero.</summary>
    public static Result Sparse(SimdLevel level, ConvolutionCase c, float[] x, float[] w, float[]? b, float[] dy, Guard guard = Guard.After) =>
        SimdLevels.Dispatch<Work, Result>(level, new(c, Multiplier: 0, x, w, b, dy, guard, IsSparse: true));

    /// <summary>Copies of groups of channels are taken where pixels are distant: as this processor would, or as is told, with a multiplier of 1.</summary>
    public static Result Depthwise(SimdLevel level, DepthwiseCase c, float[] x, float[] w, float[]? b, float[] dy, Guard guard = Guard.After, bool? copiesGroups = null) =>
        SimdLevels.Dispatch<Work, Result>(level, new(c.AsConvolution, c.Multiplier, x, w, b, dy, guard, CopiesGroups: copiesGroups));

    /// <summary>The algorithm of a depthwise convolution, or with a multiplier of 0 of a dense one.</summary>
    public static ConvolutionAlgorithm<TVector> Algorithm<TVector>(ConvolutionCase c, int multiplier, Rectifier rectifier = default, bool isSparse = false, bool? copiesGroups = null)
        where TVector : struct, IVector<TVector> => (multiplier, copiesGroups) switch
        {
            (0, _) => ConvolutionAlgorithm<TVector>.Dense(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups, rectifier, isSparse),
            (1, { } copies) => new PlainDepthwiseConvolution<TVector>(c.Geometry, c.InputChannels, rectifier, copies),
            _ => ConvolutionAlgorithm<TVector>.Depthwise(c.Geometry, c.InputChannels, multiplier, rectifier),
        };

    private readonly record struct Work(
        ConvolutionCase Case, int Multiplier, float[] X, float[] W, float[]? B, float[] Dy, Guard Guard, bool IsSparse = false, bool? CopiesGroups = null) : ISimdWork<Result>
    {
        public Result Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier, isSparse: IsSparse, copiesGroups: CopiesGroups);
            algorithm.IsGradientTransposed.Should().Be(IsSparse);
            using var x = new GuardedMemory(X, Guard);
            using var w = new GuardedMemory(W, Guard);
            using var b = new GuardedMemory(B ?? [0], Guard);
            using var dy = new GuardedMemory(Dy, Guard);
            using var y = new GuardedMemory(Dy.Length, Guard);
            using var dx = new GuardedMemory(X.Length, Guard);
            using var dw = new GuardedMemory(W.Length, Guard);
            dw.Span.Clear();
            using var scratch = new GuardedMemory(Math.Max(1, algorithm.ScratchLength), Guard);
            using var forward = new GuardedMemory(algorithm.ForwardPackedLength, Guard);
            using var backward = new GuardedMemory(algorithm.BackwardPackedLength, Guard);
            algorithm.PackForward(w.Pointer, B == null ? null : b.Pointer, forward.Pointer);
            algorithm.PackBackward(w.Pointer, backward.Pointer);
            algorithm.Forward(x.Pointer, forward.Pointer, y.Pointer, scratch.Pointer, Case.Images);
            algorithm.BackwardInput(dy.Pointer, backward.Pointer, dx.Pointer, scratch.Pointer, Case.Images);
            algorithm.BackwardWeights(x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer, Case.Images);
            Result result = new(y.Span.ToArray(), dx.Span.ToArray(), dw.Span.ToArray());
            dx.Span.Clear();
            dw.Span.Clear();
            algorithm.Backward(x.Pointer, dy.Pointer, backward.Pointer, dx.Pointer, dw.Pointer, scratch.Pointer, Case.Images);
            dx.Span.SequenceEqual(result.Dx).Should().BeTrue("one sweep should give the input gradient's bits");
            dw.Span.SequenceEqual(result.Dw).Should().BeTrue("one sweep should give the weight gradient's bits");

            dw.Span.Clear();
            algorithm.BackwardWeightsFromMemory(x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer, Case.Images, Share.All);
            dw.Span.SequenceEqual(result.Dw).Should().BeTrue("where x and dy come from should change no bit of the weight gradient");

            if (Multiplier == 1)
                FromMemory<TVector>(x.Pointer, w.Pointer, B == null ? null : b.Pointer);

            y.Span.Clear();
            FetchQueue ahead = default;
            ahead.Add(x.Pointer, X.Length);
            algorithm.ForwardAsking(x.Pointer, forward.Pointer, y.Pointer, scratch.Pointer, Case.Images, &ahead);
            y.Span.SequenceEqual(result.Y).Should().BeTrue("asking for memory should change no bit of the forward pass");
            foreach ((bool input, bool weights) in ((bool, bool)[])[(true, true), (true, false), (false, true)])
            {
                dx.Span.Clear();
                dw.Span.Clear();
                ahead.Add(dy.Pointer, Dy.Length);
                algorithm.BackwardAsking(x.Pointer, dy.Pointer, backward.Pointer, input ? dx.Pointer : null, weights ? dw.Pointer : null, scratch.Pointer, Case.Images, &ahead);
                dx.Span.SequenceEqual(input ? result.Dx : new float[X.Length]).Should().BeTrue("asking for memory should change no bit of the input gradient");
                dw.Span.SequenceEqual(weights ? result.Dw : new float[W.Length]).Should().BeTrue("asking for memory should change no bit of the weight gradient");
            }

            y.Span.Clear();
            dx.Span.Clear();
            dw.Span.Clear();
            for (int share = Shares - 1; share >= 0; share--)
            {
                algorithm.Forward(x.Pointer, forward.Pointer, y.Pointer, scratch.Pointer, Case.Images, new(share, Shares));
                algorithm.BackwardInput(dy.Pointer, backward.Pointer, dx.Pointer, scratch.Pointer, Case.Images, new(share, Shares));
                algorithm.BackwardWeights(x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer, Case.Images, new(share, Shares));
            }

            y.Span.SequenceEqual(result.Y).Should().BeTrue("shares should give the forward pass' bits");
            dx.Span.SequenceEqual(result.Dx).Should().BeTrue("shares should give the input gradient's bits");
            dw.Span.SequenceEqual(result.Dw).Should().BeTrue("shares should give the weight gradient's bits");
            if (algorithm.CanRunRows)
            {
                y.Span.Clear();
                int height = Case.Geometry.OutputHeight, image = Case.OutputLength / Case.Images;
                for (int i = 0; i < Case.Images; i++)
                {
                    float* source = x.Pointer + ((nint)i * (Case.InputLength / Case.Images)), rows = y.Pointer + ((nint)i * image);
                    foreach ((int first, int end) in ((int, int)[])[(height / 4, height / 2), (0, height / 4), (height / 2, height)])
                        algorithm.ForwardRows(source, forward.Pointer, rows, first, end);
                }

                y.Span.SequenceEqual(result.Y).Should().BeTrue("bands of rows should give the forward pass' bits");
            }

            if (algorithm.CanRunBackwardRows)
                result = result with { DwOfBands = BackwardBands(algorithm, x.Pointer, dy.Pointer, backward.Pointer, result) };

            if (algorithm.CanBeginWeights)
            {
                dw.Span.Fill(float.NaN);
                for (int share = Shares - 1; share >= 0; share--)
                    algorithm.BeginWeights(x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer, Case.Images, new(share, Shares));

                dw.Span.SequenceEqual(result.Dw).Should().BeTrue("a weight gradient that is begun should have the bits of one that is added to zeros");
            }

            Unpacked(algorithm, x.Pointer, w.Pointer, B == null ? null : b.Pointer, dy.Pointer, result);
            return algorithm.IsGradientTransposed ? result with { Dw = Transposed(result.Dw) } : result;
        }

        /// <summary>The forward pass of images said to come from memory, in one part and in shares, into memory that may be written past the caches and not, with each rectifier.</summary>
        private void FromMemory<TVector>(float* x, float* w, float* b)
            where TVector : struct, IVector<TVector>
        {
            using var packed = new GuardedMemory(Algorithm<TVector>(Case, Multiplier).ForwardPackedLength, Guard);
            using var scratch = new GuardedMemory(Math.Max(1, Algorithm<TVector>(Case, Multiplier).ScratchLength), Guard);
            using var expected = new GuardedMemory(Case.OutputLength, Guard);
            AlignedMemory aligned = new(Case.OutputLength + 1);
            using var guarded = new GuardedMemory(Case.OutputLength, Guard);
            float*[] results = [guarded.Pointer, aligned.Pointer, aligned.Pointer + 1];
            foreach (Activation activation in (Activation[])[Activation.Linear, Activation.ReLU, Activation.ReLU6])
            {
                ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier, Rectifier.Of(activation)!.Value, copiesGroups: CopiesGroups);
                algorithm.PackForward(w, b, packed.Pointer);
                algorithm.Forward(x, packed.Pointer, expected.Pointer, scratch.Pointer, Case.Images);
                foreach (int shares in (int[])[1, Shares])
                {
                    foreach (float* result in results)
                    {
                        var y = new Span<float>(result, Case.OutputLength);
                        y.Fill(float.NaN);
                        for (int share = shares - 1; share >= 0; share--)
                            algorithm.ForwardFromMemory(x, packed.Pointer, result, scratch.Pointer, Case.Images, new(share, shares));

                        y.SequenceEqual(expected.Span).Should().BeTrue("where x comes from should change no bit of the forward pass of {0} shares, {1}", shares, activation);
                    }
                }
            }

            GC.KeepAlive(aligned);
        }

        /// <summary>[taps, outputs, inputs] as [taps, inputs, outputs].</summary>
        private float[] Transposed(float[] dw)
        {
            (int inputs, int outputs) = (Case.InputChannels, Case.OutputChannels);
            return [.. dw.Select((_, i) => dw[(i / (inputs * outputs) * inputs * outputs) + (i % outputs * inputs) + (i / outputs % inputs)])];
        }

        /// <summary>Bands of rows: each gradient alone, and both. Gives the weights'.</summary>
        private float[] BackwardBands<TVector>(ConvolutionAlgorithm<TVector> algorithm, float* x, float* dy, float* packed, Result expected)
            where TVector : struct, IVector<TVector>
        {
            using var dx = new GuardedMemory(expected.Dx.Length, Guard);
            using var dw = new GuardedMemory(expected.Dw.Length, Guard);
            float largest = expected.Dw.Max(Math.Abs);
            foreach ((bool input, bool weights) in ((bool, bool)[])[(true, true), (true, false), (false, true)])
            {
                dx.Span.Clear();
                dw.Span.Clear();
                for (int i = 0; i < Case.Images; i++)
                {
                    nint fromX = (nint)i * (Case.InputLength / Case.Images), fromY = (nint)i * (Case.OutputLength / Case.Images);
                    for (int band = 0; band < Shares; band++)
                        algorithm.BackwardRows(x + fromX, dy + fromY, packed, input ? dx.Pointer + fromX : null, weights ? dw.Pointer : null, new(band, Shares));
                }

                dx.Span.SequenceEqual(input ? expected.Dx : new float[expected.Dx.Length]).Should().BeTrue("bands of rows should give the input gradient's bits");
                for (int i = 0; i < expected.Dw.Length; i++)
                    dw.Span[i].Should().BeApproximately(weights ? expected.Dw[i] : 0, 1e-5f * largest, "bands of rows only add in another order");
            }

            return dw.Span.ToArray();
        }

        /// <summary>The passes that read weights as they are stored, in one part and in shares.</summary>
        private void Unpacked<TVector>(ConvolutionAlgorithm<TVector> algorithm, float* x, float* w, float* b, float* dy, Result expected)
            where TVector : struct, IVector<TVector>
        {
            using var y = new GuardedMemory(expected.Y.Length, Guard);
            using var dx = new GuardedMemory(expected.Dx.Length, Guard);
            using var forward = new GuardedMemory(algorithm.ForwardPanelLength, Guard);
            using var backward = new GuardedMemory(algorithm.BackwardPanelLength, Guard);
            foreach (int shares in (int[])[1, Shares])
            {
                y.Span.Fill(float.NaN);
                dx.Span.Fill(float.NaN);
                for (int share = shares - 1; share >= 0; share--)
                {
                    if (algorithm.ForwardPanelLength > 0)
                        algorithm.ForwardUnpacked(x, w, b, y.Pointer, forward.Pointer, Case.Images, new(share, shares));

                    if (algorithm.BackwardPanelLength > 0)
                        algorithm.BackwardInputUnpacked(dy, w, dx.Pointer, backward.Pointer, Case.Images, new(share, shares));
                }

                if (algorithm.ForwardPanelLength > 0)
                    y.Span.SequenceEqual(expected.Y).Should().BeTrue("{0} shares of channels should give the forward pass' bits", shares);

                if (algorithm.BackwardPanelLength > 0)
                    dx.Span.SequenceEqual(expected.Dx).Should().BeTrue("{0} shares of channels should give the input gradient's bits", shares);
            }
        }
    }
}
