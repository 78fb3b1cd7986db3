using System.Runtime.InteropServices;
using System.Text.Json;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Support;

/// <summary>The golden cases: <c>Golden/cases.json</c> describes them, <c>Golden/data.bin</c> holds their floats.</summary>
public static class GoldenCases
{
    private static readonly Lazy<byte[]> Data = new(() => File.ReadAllBytes(FilePath("data.bin")));
    private static readonly Lazy<GoldenCase[]> Cases = new(() =>
    [
        .. JsonElement.Parse(File.ReadAllBytes(FilePath("cases.json"))).GetProperty("cases").EnumerateArray()
            .Select(json => new GoldenCase(json)),
    ]);

    public static IReadOnlyList<GoldenCase> All => Cases.Value;

    /// <summary>Member data: the names of an operator's cases. Get one with <see cref="Load"/>.</summary>
    public static TheoryData<string> Of(string op) => [.. Named(op)];

    /// <summary>Member data: the names of an operator's cases, each with every level that this machine supports.</summary>
    public static TheoryData<string, SimdLevel> OfAtEveryLevel(string op)
    {
        var data = new TheoryData<string, SimdLevel>();
        foreach (string name in Named(op))
        {
            foreach (SimdLevel level in SimdLevels.Callable)
                data.Add(name, level);
        }

        return data;
    }

    public static GoldenCase Load(string name) => All.Single(golden => golden.Name == name);

    internal static float[] Read(int offset, int count)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("The golden values are stored little-endian.");
        return MemoryMarshal.Cast<byte, float>(Data.Value.AsSpan(offset, count * sizeof(float))).ToArray();
    }

    private static IEnumerable<string> Named(string op)
    {
        string[] names = [.. All.Where(golden => golden.Op == op).Select(golden => golden.Name)];
        return names.Length > 0 ? names : throw new ArgumentException($"There are no golden cases of '{op}'.", nameof(op));
    }

    private static string FilePath(string file) => Path.Combine(AppContext.BaseDirectory, "Golden", file);
}
