using System.Buffers;
using System.Text;
using System.Text.Json;

namespace NativeConv.Onnx;

/// <summary>A model's class names as a JSON array in a file's metadata.</summary>
internal static class ClassNames
{
    public const string Key = "nativeconv.classes";

    public static string Write(IReadOnlyList<string> names)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (string name in names)
                json.WriteStringValue(name);

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <exception cref="JsonException">The text is no JSON.</exception>
    /// <exception cref="InvalidOperationException">It is no array of strings.</exception>
    public static string[] Read(string text)
    {
        using JsonDocument json = JsonDocument.Parse(text, new() { MaxDepth = 2 });
        return [.. json.RootElement.EnumerateArray().Select(name => name.GetString() ?? throw new InvalidOperationException("A name is null."))];
    }
}
