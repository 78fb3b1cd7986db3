using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NativeConv.PortableProgram;
using NativeConv.Simd;

// What must be the same wherever it runs: just in time or ahead of time, on x64 or Arm64, at every vector width, on any number of threads.
try
{
    _ = SimdLevels.Default;
}
catch (InvalidOperationException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

string compiled = RuntimeFeature.IsDynamicCodeSupported ? "just in time" : "ahead of time";
Console.WriteLine($"{RuntimeInformation.ProcessArchitecture}, compiled {compiled}, {SimdLevels.Default}, fused multiply-add: {SimdLevels.HasFusedMultiplyAdd}");
switch (args)
{
    case ["level"]:
        return 0;
    case ["bits", var folder, var threads]:
        Bits.Write(folder, int.Parse(threads, CultureInfo.InvariantCulture));
        return 0;
    case ["golden"]:
        return Golden.Check() ? 0 : 1;
    case ["speed", var threads]:
        Speed.Write(int.Parse(threads, CultureInfo.InvariantCulture));
        return 0;
    default:
        Console.Error.WriteLine("Say level (name the vector width), bits FOLDER THREADS (train, save, load and predict), golden (compare with the golden values) or speed THREADS (milliseconds of a step and a prediction).");
        return 2;
}
