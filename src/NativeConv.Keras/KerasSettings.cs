using System.Text.Json;

namespace NativeConv.Keras;

/// <summary>A layer's settings in a model's configuration; whatever is missing or of the wrong kind is an error that names layer and setting.</summary>
/// <param name="layer">The layer's name and class, for messages.</param>
/// <param name="config">Its <c>config</c>.</param>
internal sealed class KerasSettings(string layer, JsonElement config)
{
    public string Layer => layer;

    public bool Has(string name) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    public string Text(string name) => Get(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw Broken(name, "text");

    public int Number(string name) => Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number) ? number : throw Broken(name, "a whole number");

    public double Real(string name, double missing) => !Has(name) ? missing : Get(name) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : throw Broken(name, "a number");

    public bool Truth(string name, bool missing) => !Has(name) ? missing : Get(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Broken(name, "true or false"),
    };

    /// <summary>Two numbers, rows first, or one for both.</summary>
    public Size2D Size(string name)
    {
        if (Get(name).ValueKind == JsonValueKind.Number)
            return Number(name);

        return Numbers(name) is [int height, int width] ? new(height, width) : throw Broken(name, "two whole numbers");
    }

    /// <summary>Whole numbers; -1 where there is null.</summary>
    public int[] Numbers(string name)
    {
        JsonElement value = Get(name);
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("items", out JsonElement items))
            value = items;

        if (value.ValueKind != JsonValueKind.Array)
            throw Broken(name, "whole numbers");

        return
        [
            .. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? -1
                : item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number) ? number : throw Broken(name, "whole numbers")),
        ];
    }

    /// <summary>Keras' <c>same</c> or <c>valid</c>.</summary>
    public Padding Padding() => Text("padding") switch
    {
        "same" => NativeConv.Padding.Same,
        "valid" => NativeConv.Padding.Valid,
        _ => throw Broken("padding", "'same' or 'valid'"),
    };

    /// <summary>The activation of a layer; null for softmax.</summary>
    public Activation? Activation(string name)
    {
        if (!Has(name))
            return NativeConv.Activation.Linear;

        return Text(name) switch
        {
            "linear" => NativeConv.Activation.Linear,
            "relu" => NativeConv.Activation.ReLU,
            "relu6" => NativeConv.Activation.ReLU6,
            "elu" => NativeConv.Activation.Elu,
            "sigmoid" => NativeConv.Activation.Sigmoid,
            "tanh" => NativeConv.Activation.Tanh,
            "silu" or "swish" => NativeConv.Activation.SiLU,
            "hard_silu" or "hard_swish" => NativeConv.Activation.HardSwish,
            "hard_sigmoid" => NativeConv.Activation.HardSigmoid,
            "gelu" => NativeConv.Activation.Gelu,
            "softmax" => null,
            string other => throw new InvalidDataException($"{layer} has the activation '{other}', which the library lacks"),
        };
    }

    /// <summary>Refuses images whose channels come first.</summary>
    public void RequireChannelsLast()
    {
        if (Has("data_format") && Text("data_format") != "channels_last")
            throw Broken("data_format", "'channels_last'");
    }

    public InvalidDataException Broken(string name, string expected) =>
        new($"{layer} must have {expected} as its '{name}', but has {(config.TryGetProperty(name, out JsonElement value) ? Shorten(value.GetRawText()) : "none")}");

    private JsonElement Get(string name) => config.TryGetProperty(name, out JsonElement value) ? value : throw Broken(name, "a value");

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
