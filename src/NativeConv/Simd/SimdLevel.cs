namespace NativeConv;

/// <summary>The vector widths that the kernels exist for, narrowest first.</summary>
public enum SimdLevel
{
    /// <summary>One float at a time.</summary>
    Scalar = 1,

    /// <summary>128 bits: SSE, NEON, WebAssembly.</summary>
    Vector128 = 128,

    /// <summary>256 bits: AVX2 with FMA.</summary>
    Vector256 = 256,

    /// <summary>512 bits: AVX-512.</summary>
    Vector512 = 512,
}
