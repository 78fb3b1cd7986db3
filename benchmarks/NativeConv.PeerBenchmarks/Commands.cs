using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NativeConv.PeerBenchmarks;

/// <summary>What all commands can be told, and how they end.</summary>
internal static class Commands
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Option<int> Threads()
    {
        var option = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "Threads of each side." };
        option.Validators.Add(RequireCounts);
        return option;
    }

    public static Option<int[]> Batches()
    {
        var option = new Option<int[]>("--batch-size") { AllowMultipleArgumentsPerToken = true, Description = "Instead of each network's own." };
        option.Validators.Add(RequireCounts);
        return option;
    }

    public static Option<string[]> Filter() =>
        new("--filter") { AllowMultipleArgumentsPerToken = true, Description = "Only rows that contain each of these texts." };

    public static Option<string?> Json()
    {
        var option = new Option<string?>("--json") { Description = "Also writes the rows to this file." };
        option.Validators.Add(result =>
        {
            foreach (Token file in result.Tokens.Where(file => !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file.Value)))))
                result.AddError($"--json must name a file in a folder that exists, but is '{file.Value}'.");
        });
        return option;
    }

    /// <summary>Whether a row is to be measured.</summary>
    public static bool Holds(string row, string[] filter) => filter.All(part => row.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes what was measured.</summary>
    /// <exception cref="PeerException">The filter left nothing to measure, or only what no peer computes.</exception>
    public static int Finish<TRow>(IReadOnlyList<TRow> rows, string? json)
    {
        if (rows.Count == 0)
            throw new PeerException("No row that a peer computes contains all that --filter asks for.");

        if (json != null)
            File.WriteAllText(json, JsonSerializer.Serialize(rows, Indented));

        return 0;
    }

    private static void RequireCounts(OptionResult result)
    {
        foreach (Token token in result.Tokens.Where(token => !int.TryParse(token.Value, out int count) || count < 1))
            result.AddError($"{result.Option.Name} must be a whole number of at least 1, but is '{token.Value}'.");
    }
}
