namespace NativeConv.Kernels;

/// <summary>Work that needs a size as a constant.</summary>
internal interface ISizeWork
{
    nint Run<TSize>()
        where TSize : struct, ISize;
}

/// <summary>
/// Turns a size known when a plan is made into a type argument, so that a kernel's loops over it unfold. A program compiled ahead of time holds a kernel for every size that could
/// come: each bound is as low as its caller's sizes allow.
/// </summary>
internal static class SizeDispatch
{
    public const int Most = 14;

    /// <summary>Runs the work for a size from 1 to 3.</summary>
    public static nint UpTo3<TWork>(int size, TWork work)
        where TWork : ISizeWork => size switch
        {
            1 => work.Run<N1>(),
            2 => work.Run<N2>(),
            3 => work.Run<N3>(),
            _ => throw Outside(size),
        };

    /// <summary>Runs the work for a size from 1 to 7.</summary>
    public static nint UpTo7<TWork>(int size, TWork work)
        where TWork : ISizeWork => size switch
        {
            4 => work.Run<N4>(),
            5 => work.Run<N5>(),
            6 => work.Run<N6>(),
            7 => work.Run<N7>(),
            _ => UpTo3(size, work),
        };

    /// <summary>Runs the work for a size from 1 to <see cref="Most"/>.</summary>
    public static nint UpTo14<TWork>(int size, TWork work)
        where TWork : ISizeWork => size switch
        {
            8 => work.Run<N8>(),
            9 => work.Run<N9>(),
            10 => work.Run<N10>(),
            11 => work.Run<N11>(),
            12 => work.Run<N12>(),
            13 => work.Run<N13>(),
            14 => work.Run<N14>(),
            _ => UpTo7(size, work),
        };

    /// <summary>The error of a size for which there is no kernel.</summary>
    public static Exception Outside(int size) => new ArgumentOutOfRangeException(nameof(size), size, "There is no kernel of this size.");
}
