using System.Buffers;
using System.Text;
using System.Text.Json;

namespace NativeConv.Serialization;

/// <summary>A graph as JSON: class names, and each node's name, kind, inputs and settings in order.</summary>
internal static class GraphJson
{
    public static string Write(Model model)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("classes");
            foreach (string name in model.ClassNames)
                json.WriteStringValue(name);

            json.WriteEndArray();
            json.WriteStartArray("nodes");
            foreach (Node node in model.Nodes)
                Write(json, node);

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Rebuilds the graph without its parameters.</summary>
    /// <exception cref="InvalidDataException">The text is no such graph.</exception>
    public static ModelBuilder Read(string text, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>> custom)
    {
        try
        {
            using JsonDocument json = StrictJson.Parse(text);
            ModelBuilder? builder = null;
            var nodes = new Dictionary<string, Node>(StringComparer.Ordinal);
            foreach (JsonElement element in json.RootElement.GetProperty("nodes").EnumerateArray())
            {
                string name = Text(element.GetProperty("name")), kind = Text(element.GetProperty("kind"));
                Layer layer = LayerKinds.Create(kind, ReadSettings(element.GetProperty("settings")), custom);
                Node[] inputs = [.. element.GetProperty("inputs").EnumerateArray().Select(input =>
                    nodes.TryGetValue(Text(input), out Node? node) ? node : throw new InvalidDataException($"Node '{name}' reads '{input}', which does not come before it."))];
                if (layer is InputLayer first && builder == null)
                    builder = new(first, name);
                else if (builder == null || layer is InputLayer)
                    throw new InvalidDataException($"A graph has one input, its first node, but '{name}' is {(builder == null ? "first" : "another")}.");
                else
                    builder.Layer(layer, inputs, name);

                nodes.Add(name, builder.Current);
            }

            string[] classes = [.. json.RootElement.GetProperty("classes").EnumerateArray().Select(Text)];
            return builder?.ClassNames(classes) ?? throw new InvalidDataException("The graph has no nodes.");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"The graph cannot be read: {e.Message}", e);
        }
    }

    private static void Write(Utf8JsonWriter json, Node node)
    {
        json.WriteStartObject();
        json.WriteString("name", node.Name);
        json.WriteString("kind", node.Layer.Kind);
        json.WriteStartArray("inputs");
        foreach (Node input in node.Inputs)
            json.WriteStringValue(input.Name);

        json.WriteEndArray();
        json.WriteStartObject("settings");
        var configuration = new LayerConfiguration();
        node.Layer.Describe(configuration);
        foreach (string name in configuration.Names)
        {
            switch (configuration.Value(name))
            {
                case long whole:
                    json.WriteNumber(name, whole);
                    break;
                case double number:
                    json.WriteNumber(name, number);
                    break;
                case bool truth:
                    json.WriteBoolean(name, truth);
                    break;
                case string word:
                    json.WriteString(name, word);
                    break;
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static LayerConfiguration ReadSettings(JsonElement settings)
    {
        var configuration = new LayerConfiguration();
        foreach (JsonProperty setting in settings.EnumerateObject())
        {
            switch (setting.Value.ValueKind)
            {
                case JsonValueKind.Number when setting.Value.TryGetInt64(out long whole):
                    configuration.Set(setting.Name, whole);
                    break;
                case JsonValueKind.Number:
                    configuration.Set(setting.Name, setting.Value.GetDouble());
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    configuration.Set(setting.Name, setting.Value.GetBoolean());
                    break;
                default:
                    configuration.Set(setting.Name, Text(setting.Value));
                    break;
            }
        }

        return configuration;
    }

    private static string Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : throw new InvalidDataException($"A string was expected, but {element.ValueKind} came.");
}
