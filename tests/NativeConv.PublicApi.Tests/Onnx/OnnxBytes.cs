using System.Buffers.Binary;
using System.Text;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>Writes ONNX files field by field, right ones and wrong ones. A message is its fields' bytes one after another.</summary>
internal static class OnnxBytes
{
    public static byte[] Whole(int field, long value) => [.. Varint((ulong)field << 3), .. Varint((ulong)value)];

    public static byte[] Number(int field, float value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return [.. Varint(((ulong)field << 3) | 5), .. bytes];
    }

    public static byte[] Text(int field, string value) => Message(field, Encoding.UTF8.GetBytes(value));

    public static byte[] Message(int field, params byte[][] parts)
    {
        byte[] content = [.. parts.SelectMany(part => part)];
        return [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)content.Length), .. content];
    }

    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));

        return [.. bytes, (byte)value];
    }

    /// <summary>A file of IR version 8 and operator set 17 around a graph's fields.</summary>
    public static byte[] Model(params byte[][] graph) => [.. Whole(1, 8), .. Message(8, Whole(2, 17)), .. Message(7, graph)];

    /// <summary>A graph's input; a dimension that is not above 0 is free.</summary>
    public static byte[] Input(string name, params long[] dimensions) => ValueInfo(11, name, 1, dimensions);

    public static byte[] Output(string name) => ValueInfo(12, name, 1);

    public static byte[] ValueInfo(int field, string name, int type, params long[] dimensions) => Message(
        field, Text(1, name), Message(2, Message(1, Whole(1, type), Message(2, [.. dimensions.Select(d => Message(1, d > 0 ? Whole(1, d) : Text(2, "N")))]))));

    /// <summary>A node; an attribute's value is a float, a long, an array of longs, a text, or a tensor's fields.</summary>
    public static byte[] Node(string type, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) => Message(
        1,
        [
            .. inputs.Select(input => Text(1, input)), .. outputs.Select(output => Text(2, output)), Text(3, "it"), Text(4, type),
            .. attributes.Select(attribute => Message(5, [Text(1, attribute.Name), .. Attribute(attribute.Value)])),
        ]);

    /// <summary>An initializer of floats, one after another from 1 on.</summary>
    public static byte[] Weights(string name, params long[] dimensions) =>
        Message(5, Tensor(name, [.. Enumerable.Range(1, (int)dimensions.Aggregate(1L, (a, b) => a * b)).Select(i => (float)i)], dimensions));

    public static byte[] Sizes(string name, params long[] values) =>
        Message(5, Text(8, name), Whole(1, values.Length), Whole(2, 7), Message(7, [.. values.Select(value => Varint((ulong)value))]));

    public static byte[] Tensor(string name, float[] values, params long[] dimensions) =>
        [.. Text(8, name), .. dimensions.SelectMany(d => Whole(1, d)), .. Whole(2, 1), .. Message(4, [.. values.Select(value => Number(1, value)[1..])])];

    private static byte[][] Attribute(object value) => value switch
    {
        float number => [Number(2, number), Whole(20, 1)],
        long whole => [Whole(3, whole), Whole(20, 2)],
        string text => [Text(4, text), Whole(20, 3)],
        byte[] tensor => [Message(5, tensor), Whole(20, 4)],
        long[] wholes => [.. wholes.Select(whole => Whole(8, whole)), Whole(20, 7)],
        _ => throw new ArgumentException($"No attribute is a {value.GetType()}.", nameof(value)),
    };
}
