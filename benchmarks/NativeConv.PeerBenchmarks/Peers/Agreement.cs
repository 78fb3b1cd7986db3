namespace NativeConv.PeerBenchmarks.Peers;

/// <summary>Makes sure that two sides computed the same.</summary>
internal static class Agreement
{
    /// <summary>How far values may differ, by the largest of them.</summary>
    private const float Tolerance = 1e-3f;

    /// <summary>Of the ways in which a peer does the work, those that compute the same; what the others compute is printed.</summary>
    public static IReadOnlyList<TWay> Agreeing<TWay>(IReadOnlyList<TWay> ways, Action<TWay> require)
    {
        var agreeing = new List<TWay>();
        foreach (TWay way in ways)
        {
            try
            {
                require(way);
                agreeing.Add(way);
            }
            catch (PeerException e)
            {
                Console.WriteLine($"Not timed: {e.Message}");
            }
        }

        return agreeing;
    }

    /// <exception cref="PeerException">They differ.</exception>
    public static void Require(string what, string peer, ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs)
    {
        if (ours.Length != theirs.Length)
            throw new PeerException($"{what}: NativeConv has {ours.Length} values, {peer} {theirs.Length}.");

        float largest = 0;
        foreach (float value in theirs)
            largest = MathF.Max(largest, MathF.Abs(value));

        for (int i = 0; i < ours.Length; i++)
        {
            // Not "greater": a NaN must not pass.
            if (!(MathF.Abs(ours[i] - theirs[i]) <= Tolerance * largest))
                throw new PeerException($"{what}: value {i} is {ours[i]:G9} in NativeConv and {theirs[i]:G9} in {peer}, where the largest is {largest:G9}.");
        }
    }
}
