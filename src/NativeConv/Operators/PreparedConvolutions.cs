using System.Collections.Concurrent;
using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv.Operators;

/// <summary>
/// The convolutions that calls with the same options have prepared, by shape: choosing tiles and kernels takes longer than a small layer takes to
/// compute. Safe for concurrent use. Two of these are always equal, for they never change a result.
/// </summary>
internal sealed class PreparedConvolutions
{
    /// <summary>More shapes than a network has layers; beyond it all are forgotten.</summary>
    private const int MostShapes = 256;

    private readonly ConcurrentDictionary<(Type, Conv2DGeometry, int, int, int), object> _algorithms = new();

    /// <summary>What calls compute in.</summary>
    public LentMemory Memory { get; } = new();

    /// <summary>A convolution's algorithm; no groups for a depthwise one.</summary>
    public ConvolutionAlgorithm<TVector> Get<TVector>(in Conv2DGeometry geometry, int channels, int filters, int groups)
        where TVector : struct, IVector<TVector>
    {
        (Type, Conv2DGeometry, int, int, int) key = (typeof(TVector), geometry, channels, filters, groups);
        if (_algorithms.TryGetValue(key, out object? prepared))
            return (ConvolutionAlgorithm<TVector>)prepared;

        if (_algorithms.Count >= MostShapes)
            _algorithms.Clear();

        ConvolutionAlgorithm<TVector> algorithm = groups == 0
            ? ConvolutionAlgorithm<TVector>.Depthwise(geometry, channels, filters / channels)
            : ConvolutionAlgorithm<TVector>.Dense(geometry, channels, filters, groups);
        _algorithms[key] = algorithm;
        return algorithm;
    }

    public override bool Equals(object? other) => other is PreparedConvolutions;

    public override int GetHashCode() => 0;
}
