using System.Diagnostics;
using NativeConv.Fuzz;
using NativeConv.Hostile;
using SharpFuzz;

// TARGET: under a fuzzer, which sends files to standard input. TARGET --seeds FOLDER: writes the files to start from. TARGET --loop SECONDS: broken files
// without a fuzzer. Either may be asked for on a machine that has none.
if (args.Length is not (1 or 3) || !Targets.All.TryGetValue(args[0], out var target))
{
    Console.Error.WriteLine($"Usage: NativeConv.Fuzz {string.Join('|', Targets.All.Keys)} [--seeds FOLDER | --loop SECONDS]");
    return 2;
}

switch (args.ElementAtOrDefault(1))
{
    case null:
        Fuzzer.Run(stream =>
        {
            using var file = new MemoryStream();
            stream.CopyTo(file);
            Read(file.ToArray());
        });
        return 0;
    case "--seeds":
        byte[][] seeds = target.Seeds();
        for (int i = 0; i < seeds.Length; i++)
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(args[2]).FullName, $"seed-{i}"), seeds[i]);

        return 0;
    default:
        var mutations = new FileMutations(target.Seeds(), Environment.TickCount);
        var clock = Stopwatch.StartNew();
        long files = 0, read = 0;
        for (; clock.Elapsed.TotalSeconds < double.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture); files++)
            read += Read(mutations.Next()) ? 1 : 0;

        Console.WriteLine($"{args[0]}: {files} broken files in {clock.Elapsed.TotalSeconds:F0} s, {read} of them read, nothing but InvalidDataException from the rest.");
        return 0;
}

bool Read(byte[] file)
{
    try
    {
        target.Read(file);
        return true;
    }
    catch (InvalidDataException)
    {
        return false;
    }
}
