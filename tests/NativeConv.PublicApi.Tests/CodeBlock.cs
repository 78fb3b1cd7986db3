namespace NativeConv.PublicApi.Tests;

/// <summary>A fenced block of a Markdown file.</summary>
/// <param name="Heading">The heading that it stands under.</param>
/// <param name="Language">What the fence says of it, <c>csharp</c> for one.</param>
/// <param name="Lines">What is in it.</param>
internal sealed record CodeBlock(string Heading, string Language, IReadOnlyList<string> Lines)
{
    /// <summary>The lines as one text.</summary>
    public string Text => string.Join('\n', Lines);
}
