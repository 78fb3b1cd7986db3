using System.CommandLine;

namespace NativeConv.PeerBenchmarks;

/// <summary>What all commands can be told.</summary>
internal static class CommonOptions
{
    public static Option<int> Threads()
    {
        var option = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "Threads of each side." };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 1)
                result.AddError("--threads must be at least 1.");
        });
        return option;
    }

    public static Option<string[]> Filter() =>
        new("--filter") { AllowMultipleArgumentsPerToken = true, Description = "Only rows that contain each of these texts." };

    public static Option<string?> Json() => new("--json") { Description = "Also writes the rows to this file." };

    /// <summary>Whether a row is to be measured.</summary>
    public static bool Holds(string row, string[] filter) => filter.All(part => row.Contains(part, StringComparison.OrdinalIgnoreCase));
}
