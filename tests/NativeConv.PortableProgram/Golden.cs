using NativeConv.Tests.Support;

namespace NativeConv.PortableProgram;

/// <summary>Every golden case, with two threads.</summary>
internal static class Golden
{
    public static bool Check()
    {
        int wrong = 0;
        foreach (GoldenCase golden in GoldenCases.All)
        {
            try
            {
                GoldenOperators.Check(golden, new() { ThreadCount = 2 });
            }
            catch (GoldenMismatchException e)
            {
                wrong++;
                Console.WriteLine(e.Message);
            }
        }

        Console.WriteLine($"golden cases: {GoldenCases.All.Count - wrong} of {GoldenCases.All.Count} match");
        return wrong == 0;
    }
}
