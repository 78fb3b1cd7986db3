using System.Text.Json;

namespace NativeConv.Tests.Support;

/// <summary>One operator, loss, optimizer or network with inputs and the outputs that PyTorch computed in float64.</summary>
public sealed class GoldenCase
{
    private readonly JsonElement _parameters;
    private readonly JsonElement _tensors;

    internal GoldenCase(JsonElement json)
    {
        Op = json.GetProperty("op").GetString()!;
        Name = json.GetProperty("name").GetString()!;
        _parameters = json.GetProperty("params");
        _tensors = json.GetProperty("tensors");
    }

    public string Op { get; }

    public string Name { get; }

    public IEnumerable<string> Tensors => _tensors.EnumerateObject().Select(tensor => tensor.Name);

    /// <summary>A fresh copy of a tensor's values in row-major order.</summary>
    public float[] this[string tensor]
    {
        get
        {
            JsonElement entry = _tensors.GetProperty(tensor);
            return GoldenCases.Read(entry.GetProperty("offset").GetInt32(), entry.GetProperty("count").GetInt32());
        }
    }

    public bool Has(string tensor) => _tensors.TryGetProperty(tensor, out _);

    /// <summary>A tensor's values, or null where the case lacks it.</summary>
    public float[]? Find(string tensor) => Has(tensor) ? this[tensor] : null;

    public int[] Shape(string tensor) => Numbers(_tensors.GetProperty(tensor).GetProperty("shape"));

    public bool HasParameter(string name) => _parameters.TryGetProperty(name, out _);

    public int Int(string parameter) => _parameters.GetProperty(parameter).GetInt32();

    public int[] Ints(string parameter) => Numbers(_parameters.GetProperty(parameter));

    public double Double(string parameter) => _parameters.GetProperty(parameter).GetDouble();

    public double[] Doubles(string parameter) =>
        [.. _parameters.GetProperty(parameter).EnumerateArray().Select(number => number.GetDouble())];

    public bool Flag(string parameter) => _parameters.GetProperty(parameter).GetBoolean();

    public string Text(string parameter) => _parameters.GetProperty(parameter).GetString()!;

    public string[] Texts(string parameter) =>
        [.. _parameters.GetProperty(parameter).EnumerateArray().Select(text => text.GetString()!)];

    /// <summary>The padding by name where the case has a name for it, else its four pads.</summary>
    public Padding Padding => HasParameter("padding")
        ? Text("padding") switch
        {
            "same" => Padding.Same,
            "valid" => Padding.Valid,
            var other => throw new InvalidDataException($"Case '{Name}' has the unknown padding '{other}'."),
        }
        : Ints("pad_top_bottom_left_right") is [int top, int bottom, int left, int right]
            ? Padding.Explicit(top, bottom, left, right)
            : throw new InvalidDataException($"Case '{Name}' has no padding.");

    /// <summary>The window of a convolution, depthwise convolution or pooling.</summary>
    public Conv2DGeometry Geometry
    {
        get
        {
            int[] x = Shape("x");
            return new(x[1], x[2], Size("kernel"), Size("stride"), HasParameter("dilation") ? Size("dilation") : 1, Padding);
        }
    }

    /// <summary>The sizes of a conv or depthwise case.</summary>
    public ConvolutionCase Convolution
    {
        get
        {
            int inputChannels = Shape("x")[3];
            return new(Shape("x")[0], Geometry, inputChannels, Shape("y")[3], Op == "depthwise" ? inputChannels : Int("groups"));
        }
    }

    /// <summary>Asserts |value - stored| &lt;= atol + rtol * |stored| for every value; the message names the worst.</summary>
    public void ShouldMatch(ReadOnlySpan<float> actual, string tensor) => ShouldMatch(TestData.ToDouble(actual), tensor);

    /// <inheritdoc cref="ShouldMatch(ReadOnlySpan{float}, string)"/>
    public void ShouldMatch(ReadOnlySpan<double> actual, string tensor)
    {
        JsonElement entry = _tensors.GetProperty(tensor);
        double absolute = entry.GetProperty("atol").GetDouble(), relative = entry.GetProperty("rtol").GetDouble();
        float[] stored = this[tensor];
        if (actual.Length != stored.Length)
            throw new GoldenMismatchException($"{Op} '{Name}': {tensor} has {stored.Length} values, but {actual.Length} came.");

        int worst = -1, wrong = 0;
        double worstExcess = 1;
        for (int i = 0; i < stored.Length; i++)
        {
            double excess = Math.Abs(actual[i] - stored[i]) / (absolute + (relative * Math.Abs(stored[i])));

            // Written so that a NaN counts as wrong.
            if (excess <= 1)
                continue;
            wrong++;
            if (worst < 0 || !(excess <= worstExcess))
                (worst, worstExcess) = (i, excess);
        }

        if (worst >= 0)
        {
            throw new GoldenMismatchException(
                $"{Op} '{Name}': {wrong} of {stored.Length} values of {tensor} are wrong; the worst, at [{Index(worst, Shape(tensor))}], " +
                $"is {actual[worst]:R} " +
                $"and should be {stored[worst]:R}, {worstExcess:G4} times the bound {absolute:G3} + {relative:G3} * |stored|.");
        }
    }

    public override string ToString() => $"{Op}: {Name}";

    private Size2D Size(string parameter) => _parameters.GetProperty(parameter) is { ValueKind: JsonValueKind.Array } both
        ? new Size2D(both[0].GetInt32(), both[1].GetInt32())
        : Int(parameter);

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt32())];

    private static string Index(int flat, int[] shape)
    {
        var index = new int[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
            (flat, index[axis]) = Math.DivRem(flat, shape[axis]);
        return string.Join(", ", index);
    }
}
