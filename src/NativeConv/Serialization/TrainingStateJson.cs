using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NativeConv.Training;

namespace NativeConv.Serialization;

/// <summary>What a checkpoint says beside its tensors, as JSON. Numbers come back to the bit; those that JSON lacks stand as words.</summary>
internal static class TrainingStateJson
{
    public static string Write(TrainingState state)
    {
        TrainingPosition position = state.Position;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("step", position.Step);
            json.WriteNumber("steps_per_epoch", position.StepsPerEpoch);
            Write(json, "loss_sum", position.LossSum);
            json.WriteNumber("correct", position.Correct);
            json.WriteNumber("learning_rate", position.LearningRate);
            json.WriteNumber("learning_rate_scale", position.LearningRateScale);
            json.WriteString("reason", position.Reason?.ToString() ?? "");
            if (state.FrozenLayers.Count > 0)
            {
                json.WriteStartArray("frozen_layers");
                foreach (string name in state.FrozenLayers)
                    json.WriteStringValue(name);

                json.WriteEndArray();
            }

            Write(json, "settings", state.Settings);
            Write(json, "properties", state.Properties);
            json.WriteStartObject("callbacks");
            foreach ((string name, CallbackState memory) in state.Callbacks)
            {
                json.WriteStartObject(name);
                foreach ((string key, double value) in memory.Numbers)
                    Write(json, key, value);

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteStartArray("class_names");
            foreach (string name in state.Epochs.FirstOrDefault()?.Validation?.ClassNames ?? [])
                json.WriteStringValue(name);

            json.WriteEndArray();
            json.WriteStartArray("epochs");
            foreach (EpochResult epoch in state.Epochs)
                Write(json, epoch);

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads a state without its tensors.</summary>
    /// <exception cref="InvalidDataException">The text is no such state.</exception>
    public static TrainingState Read(string text)
    {
        try
        {
            using JsonDocument document = StrictJson.Parse(text);
            JsonElement json = document.RootElement;
            string reason = Text(json, "reason");
            string[] names = [.. json.GetProperty("class_names").EnumerateArray().Select(name => name.GetString()!)];
            EpochResult[] epochs = [.. json.GetProperty("epochs").EnumerateArray().Select((epoch, index) => ReadEpoch(epoch, index + 1, names))];
            var position = new TrainingPosition(
                json.GetProperty("step").GetInt64(), json.GetProperty("steps_per_epoch").GetInt32(), Number(json.GetProperty("loss_sum")),
                json.GetProperty("correct").GetInt32(), json.GetProperty("learning_rate").GetSingle(), json.GetProperty("learning_rate_scale").GetDouble(),
                reason switch
                {
                    "" => null,
                    nameof(StopReason.Finished) => StopReason.Finished,
                    nameof(StopReason.Callback) => StopReason.Callback,
                    _ => throw new InvalidDataException($"The reason '{reason}' is unknown."),
                });
            Require(position, epochs.Length);
            string[] frozen = json.TryGetProperty("frozen_layers", out JsonElement layers)
                ? [.. layers.EnumerateArray().Select(name => name.GetString() ?? throw new InvalidDataException("A frozen layer must have a name."))]
                : [];
            return new(
                position, epochs, ReadWords(json.GetProperty("settings")), ReadWords(json.GetProperty("properties")), ReadCallbacks(json.GetProperty("callbacks")), frozen, []);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"The state cannot be read: {e.Message}", e);
        }
    }

    private static void Require(TrainingPosition position, int epochs)
    {
        (long step, int stepsPerEpoch, _, int correct, float rate, double scale, StopReason? reason) = position;
        if (stepsPerEpoch < 1)
            throw new InvalidDataException($"An epoch has at least one step, but has {stepsPerEpoch}.");

        long begun = step - ((long)epochs * stepsPerEpoch);
        if (begun < 0 || begun > stepsPerEpoch || (reason != null && begun != 0))
            throw new InvalidDataException($"{epochs} finished epochs of {stepsPerEpoch} steps do not agree with {step} steps.");

        if (correct < 0 || !(rate >= 0) || !float.IsFinite(rate) || !(scale >= 0) || !double.IsFinite(scale))
            throw new InvalidDataException("A count or learning rate is negative or not finite.");
    }

    private static void Write(Utf8JsonWriter json, EpochResult epoch)
    {
        json.WriteStartObject();
        Write(json, "loss", epoch.Loss);
        Write(json, "accuracy", epoch.Accuracy);
        json.WriteNumber("learning_rate", epoch.LearningRate);
        if (epoch.Validation is { } validation)
        {
            json.WriteStartObject("validation");
            Write(json, "loss", validation.Loss);
            json.WriteStartArray("confusion");
            for (int actual = 0; actual < validation.Classes.Count; actual++)
            {
                json.WriteStartArray();
                for (int predicted = 0; predicted < validation.Classes.Count; predicted++)
                    json.WriteNumberValue(validation.Confusion(actual, predicted));

                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static EpochResult ReadEpoch(JsonElement json, int number, string[] names)
    {
        Evaluation? validation = json.TryGetProperty("validation", out JsonElement figures)
            ? new(Number(figures.GetProperty("loss")), ReadConfusion(figures.GetProperty("confusion"), names.Length), names)
            : null;
        return new(
            number, Number(json.GetProperty("loss")), Number(json.GetProperty("accuracy")), json.GetProperty("learning_rate").GetSingle(), TrainSeconds: 0, ImagesPerSecond: 0,
            validation);
    }

    private static long[,] ReadConfusion(JsonElement json, int classes)
    {
        if (json.GetArrayLength() != classes || json.EnumerateArray().Any(row => row.GetArrayLength() != classes))
            throw new InvalidDataException($"A confusion matrix of {classes} classes must have as many rows and columns.");

        long[,] confusion = new long[classes, classes];
        for (int actual = 0; actual < classes; actual++)
        {
            for (int predicted = 0; predicted < classes; predicted++)
                confusion[actual, predicted] = json[actual][predicted].GetUInt32();
        }

        return confusion;
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> words)
    {
        json.WriteStartObject(name);
        foreach ((string key, string value) in words)
            json.WriteString(key, value);

        json.WriteEndObject();
    }

    private static SortedDictionary<string, string> ReadWords(JsonElement json)
    {
        var words = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty word in json.EnumerateObject())
            words.Add(word.Name, Text(json, word.Name));

        return words;
    }

    private static SortedDictionary<string, CallbackState> ReadCallbacks(JsonElement json)
    {
        var callbacks = new SortedDictionary<string, CallbackState>(StringComparer.Ordinal);
        foreach (JsonProperty callback in json.EnumerateObject())
        {
            var memory = new CallbackState();
            foreach (JsonProperty number in callback.Value.EnumerateObject())
                memory.Set(number.Name, Number(number.Value));

            callbacks.Add(callback.Name, memory);
        }

        return callbacks;
    }

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
    }

    private static double Number(JsonElement json) => json.ValueKind != JsonValueKind.String
        ? json.GetDouble()
        : json.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var word => throw new InvalidDataException($"A number was expected, but '{word}' came."),
        };

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new InvalidDataException($"'{name}' must be a string.");
}
