using System.Globalization;
using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>A bound on the gradients before the optimizer sees them.</summary>
public sealed class GradientClipping
{
    private readonly float _bound;
    private readonly bool _byNorm;

    private GradientClipping(float bound, bool byNorm)
    {
        if (!(bound > 0))
            throw new ArgumentOutOfRangeException(nameof(bound), bound, "A bound on gradients must be above 0.");

        _bound = bound;
        _byNorm = byNorm;
    }

    /// <summary>Scales all gradients together so that their Euclidean norm is at most the bound.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not above 0.</exception>
    public static GradientClipping ByNorm(float bound) => new(bound, byNorm: true);

    /// <summary>Cuts each gradient to the range from minus the bound to the bound.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not above 0.</exception>
    public static GradientClipping ByValue(float bound) => new(bound, byNorm: false);

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(_byNorm ? "ByNorm" : "ByValue")}({_bound})");

    /// <param name="gradient">A whole number of 16 floats.</param>
    /// <param name="count">How many.</param>
    /// <param name="norm">Their norm.</param>
    internal unsafe void Apply<TVector>(float* gradient, nint count, double norm)
        where TVector : struct, IVector<TVector>
    {
        if (!_byNorm)
            GradientKernel.Clamp<TVector>(gradient, count, _bound);
        else if (norm > _bound)
            GradientKernel.Scale<TVector>(gradient, count, (float)(_bound / norm));
    }
}
