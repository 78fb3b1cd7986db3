namespace NativeConv.Benchmarks.Kernels;

/// <summary>Random inputs, the same on every run.</summary>
internal static class Values
{
    public static float[] Random(int length)
    {
        var random = new System.Random(1);
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = random.NextSingle();

        return values;
    }
}
