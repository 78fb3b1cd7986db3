using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;

namespace NativeConv.PeerBenchmarks.Peers;

/// <summary>Puts an ONNX model together, node by node; images are [n, c, h, w].</summary>
internal sealed class OnnxGraph
{
    public const string Input = "input", Output = "output";

    // Old enough for every reader, new enough for every operator used here.
    private const int OperatorSet = 17, FormatVersion = 8;

    private readonly GraphProto _graph = new() { Name = "graph" };

    public OnnxGraph(params ReadOnlySpan<int> inputShape) => _graph.Input.Add(Value(Input, inputShape));

    /// <summary>Adds an operator; its output takes the given name.</summary>
    public void Add(string operation, string output, IEnumerable<string> inputs, params IEnumerable<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = operation, Name = $"{operation}_{_graph.Node.Count}" };
        node.Input.Add(inputs);
        node.Output.Add(output);
        node.Attribute.Add(attributes);
        _graph.Node.Add(node);
    }

    /// <summary>Adds a constant; gives its name.</summary>
    public string Constant(string name, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Float, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)) };
        foreach (int size in shape)
            tensor.Dims.Add(size);

        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>A convolution's attributes.</summary>
    public static IEnumerable<AttributeProto> Window(Conv2DGeometry g, int groups) =>
    [
        Numbers("kernel_shape", g.KernelHeight, g.KernelWidth), Numbers("strides", g.StrideHeight, g.StrideWidth),
        Numbers("dilations", g.DilationHeight, g.DilationWidth), Numbers("pads", g.PadTop, g.PadLeft, g.PadBottom, g.PadRight), Number("group", groups),
    ];

    public static AttributeProto Numbers(string name, params IEnumerable<int> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.Add(values.Select(value => (long)value));
        return attribute;
    }

    public static AttributeProto Number(string name, int value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Number(string name, float value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public byte[] ToBytes(params ReadOnlySpan<int> outputShape)
    {
        _graph.Output.Add(Value(Output, outputShape));
        var model = new ModelProto { IrVersion = FormatVersion, Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        return model.ToByteArray();
    }

    private static ValueInfoProto Value(string name, ReadOnlySpan<int> shape)
    {
        var dimensions = new TensorShapeProto();
        foreach (int size in shape)
            dimensions.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });

        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float, Shape = dimensions } } };
    }
}
