using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>An activation function and its gradient, on a vector.</summary>
internal interface IActivation
{
    static abstract TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector>;

    /// <summary>dy times the slope at x.</summary>
    static abstract TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>;
}
