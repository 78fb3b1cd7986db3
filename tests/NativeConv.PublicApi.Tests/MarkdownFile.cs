namespace NativeConv.PublicApi.Tests;

/// <summary>The fenced blocks of a Markdown file.</summary>
internal static class MarkdownFile
{
    private const string Fence = "```";

    /// <summary>Reads the blocks of a file beside the tests, in order.</summary>
    public static IReadOnlyList<CodeBlock> Blocks(string name)
    {
        List<CodeBlock> blocks = [];
        List<string>? lines = null;
        string heading = "", language = "";
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, name)))
        {
            if (line.StartsWith(Fence, StringComparison.Ordinal) && lines != null)
            {
                blocks.Add(new(heading, language, lines));
                lines = null;
            }
            else if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                lines = [];
                language = line[Fence.Length..];
            }
            else if (lines != null)
            {
                lines.Add(line);
            }
            else if (line.StartsWith('#'))
            {
                heading = line.TrimStart('#', ' ');
            }
        }

        return blocks;
    }
}
