using System.Runtime.InteropServices;
using System.Text.Json;

namespace NativeConv.Tests.Support;

/// <summary>The golden cases: <c>Golden/cases.json</c> describes them, <c>Golden/data.bin</c> holds their floats.</summary>
public static partial class GoldenCases
{
    private static readonly Lazy<byte[]> Data = new(() => File.ReadAllBytes(FilePath("data.bin")));
    private static readonly Lazy<GoldenCase[]> Cases = new(() =>
    [
        .. JsonElement.Parse(File.ReadAllBytes(FilePath("cases.json"))).GetProperty("cases").EnumerateArray()
            .Select(json => new GoldenCase(json)),
    ]);

    public static IReadOnlyList<GoldenCase> All => Cases.Value;

    public static IEnumerable<GoldenCase> Networks => All.Where(golden => golden.Op == "network");

    public static GoldenCase Load(string name) => All.Single(golden => golden.Name == name);

    internal static float[] Read(int offset, int count)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("The golden values are stored little-endian.");
        return MemoryMarshal.Cast<byte, float>(Data.Value.AsSpan(offset, count * sizeof(float))).ToArray();
    }

    private static string FilePath(string file) => Path.Combine(AppContext.BaseDirectory, "Golden", file);
}
