using System.Text.Json;

namespace NativeConv.Serialization;

/// <summary>
/// JSON in which no object names a property twice, checked here: the parser's own check seeds its hashes by cryptography, which on Linux needs OpenSSL, and ends the process where
/// there is none.
/// </summary>
internal static class StrictJson
{
    private const int MostDepth = 8;

    /// <exception cref="JsonException">The text is no JSON, is nested too deep, or names a property twice.</exception>
    /// <exception cref="InvalidOperationException">A name is not Unicode.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> text) => Checked(JsonDocument.Parse(text, new() { MaxDepth = MostDepth }));

    /// <inheritdoc cref="Parse(ReadOnlyMemory{byte})"/>
    public static JsonDocument Parse(string text) => Checked(JsonDocument.Parse(text, new() { MaxDepth = MostDepth }));

    private static JsonDocument Checked(JsonDocument document)
    {
        try
        {
            Check(document.RootElement);
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    private static void Check(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
                Check(item);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (!names.Add(property.Name))
                    throw new JsonException($"'{property.Name}' is there twice.");

                Check(property.Value);
            }
        }
    }
}
