using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Support;

public static partial class GoldenCases
{
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

    private static IEnumerable<string> Named(string op)
    {
        string[] names = [.. All.Where(golden => golden.Op == op).Select(golden => golden.Name)];
        return names.Length > 0 ? names : throw new ArgumentException($"There are no golden cases of '{op}'.", nameof(op));
    }
}
