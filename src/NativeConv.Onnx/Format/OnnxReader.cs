using System.Buffers;
using System.Buffers.Binary;

namespace NativeConv.Onnx.Format;

/// <summary>
/// Reads an ONNX file's graph. What it makes is a bounded multiple of the file's size: lengths are checked against the bytes that follow before anything is
/// made of them, weights stay in the file's own bytes, and what has no name or no operator is refused.
/// </summary>
internal static class OnnxReader
{
    /// <summary>Since IR version 3 a file says which operator set it uses.</summary>
    private const long OldestIrVersion = 3;

    private const long ExternalLocation = 1;

    /// <summary>The long name of the domain of ONNX' own operators, whose short one is empty.</summary>
    private const string OnnxDomain = "ai.onnx";

    /// <summary>Dimensions that a message shows.</summary>
    private const int LongestShape = 8;

    /// <exception cref="InvalidDataException">The file breaks a rule of the format.</exception>
    public static OnnxModel Read(SourceFile file)
    {
        var model = new OnnxModel();
        bool hasBody = false;
        var message = new MessageReader(file);
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Model.IrVersion:
                    model.IrVersion = message.ReadInt64();
                    break;
                case OnnxFields.Model.ProducerName:
                    model.ProducerName = message.ReadText();
                    break;
                case OnnxFields.Model.OperatorSets:
                    ReadOperatorSet(message.ReadMessage(), model);
                    break;
                case OnnxFields.Model.Metadata:
                    ReadMetadata(message.ReadMessage(), model);
                    break;
                case OnnxFields.Model.Body when hasBody:
                    throw message.Broken("a model has one graph, but this is another");
                case OnnxFields.Model.Body:
                    ReadBody(message.ReadMessage(), model);
                    hasBody = true;
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        if (model.IrVersion < OldestIrVersion)
            throw file.Broken(0, $"an ONNX file has an IR version of at least {OldestIrVersion}, but this one {model.IrVersion}");

        if (!hasBody)
            throw file.Broken(0, "the model has no graph");

        return model.Opset > 0 ? model : throw file.Broken(0, "the model names no version of ONNX' operators");
    }

    private static void ReadOperatorSet(MessageReader message, OnnxModel model)
    {
        string domain = "";
        long version = 0;
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.OperatorSet.Domain:
                    domain = message.ReadText();
                    break;
                case OnnxFields.OperatorSet.Version:
                    version = message.ReadInt64();
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        // Operators of other domains are refused where a node has one.
        if (domain is "" or OnnxDomain)
            model.Opset = version;
    }

    private static void ReadMetadata(MessageReader message, OnnxModel model)
    {
        string key = "", value = "";
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Entry.Key:
                    key = message.ReadText();
                    break;
                case OnnxFields.Entry.Value:
                    value = message.ReadText();
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        model.Metadata[key] = value;
    }

    private static void ReadBody(MessageReader message, OnnxModel model)
    {
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Body.Nodes:
                    model.Nodes.Add(ReadNode(message.ReadMessage()));
                    break;
                case OnnxFields.Body.Name:
                    model.GraphName = message.ReadText();
                    break;
                case OnnxFields.Body.Initializers:
                    OnnxTensor tensor = ReadTensor(message.ReadMessage());
                    if (tensor.Name.Length == 0)
                        throw message.Broken("an initializer must have a name");

                    model.Initializers.Add(tensor);
                    break;
                case OnnxFields.Body.SparseInitializers:
                    throw message.Broken("sparse initializers are not read");
                case OnnxFields.Body.Inputs:
                    model.Inputs.Add(ReadValueInfo(message.ReadMessage()));
                    break;
                case OnnxFields.Body.Outputs:
                    model.Outputs.Add(ReadValueInfo(message.ReadMessage()));
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
    }

    private static OnnxNode ReadNode(MessageReader message)
    {
        string name = "", type = "", domain = "";
        List<string> inputs = [], outputs = [];
        List<OnnxAttribute> attributes = [];
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Node.Inputs:
                    inputs.Add(message.ReadText());
                    break;
                case OnnxFields.Node.Outputs:
                    outputs.Add(message.ReadText());
                    break;
                case OnnxFields.Node.Name:
                    name = message.ReadText();
                    break;
                case OnnxFields.Node.Operator:
                    type = message.ReadText();
                    break;
                case OnnxFields.Node.Domain:
                    domain = message.ReadText();
                    domain = domain == OnnxDomain ? "" : domain;
                    break;
                case OnnxFields.Node.Attributes:
                    attributes.Add(ReadAttribute(message.ReadMessage()));
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        if (type.Length == 0)
            throw message.Broken("a node must name its operator", message.Start);

        return new() { Operator = type, Domain = domain, Name = name, Inputs = [.. inputs], Outputs = [.. outputs], Attributes = attributes, Offset = message.Start };
    }

    private static OnnxAttribute ReadAttribute(MessageReader message)
    {
        string name = "", text = "";
        long kind = 0, whole = 0;
        float number = 0;
        OnnxTensor? tensor = null;
        List<long> wholes = [];
        var numbers = new ArrayBufferWriter<byte>();
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Attribute.Name:
                    name = message.ReadText();
                    break;
                case OnnxFields.Attribute.Kind:
                    kind = message.ReadInt64();
                    break;
                case OnnxFields.Attribute.Number:
                    number = message.ReadSingle();
                    break;
                case OnnxFields.Attribute.Whole:
                    whole = message.ReadInt64();
                    break;
                case OnnxFields.Attribute.Text:
                    text = message.ReadText();
                    break;
                case OnnxFields.Attribute.Tensor:
                    tensor = ReadTensor(message.ReadMessage());
                    break;
                case OnnxFields.Attribute.Numbers:
                    message.ReadSingles(numbers);
                    break;
                case OnnxFields.Attribute.Wholes:
                    message.ReadInt64s(wholes);
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        if (name.Length == 0)
            throw message.Broken("an attribute must have a name", message.Start);

        return new()
        {
            Name = name,
            Kind = (OnnxAttributeKind)int.CreateSaturating(kind),
            Number = number,
            Whole = whole,
            Text = text,
            Tensor = tensor,
            Wholes = wholes,
            Numbers = numbers.WrittenMemory,
        };
    }

    private static OnnxTensor ReadTensor(MessageReader message)
    {
        string name = "";
        long type = 0;
        List<long> dimensions = [], whole = [];
        ReadOnlyMemory<byte>? raw = null;
        var floats = new ArrayBufferWriter<byte>();
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.Tensor.Name:
                    name = message.ReadText();
                    break;
                case OnnxFields.Tensor.Type:
                    type = message.ReadInt64();
                    break;
                case OnnxFields.Tensor.Dimensions:
                    message.ReadInt64s(dimensions);
                    break;
                case OnnxFields.Tensor.Raw:
                    raw = message.ReadBytes();
                    break;
                case OnnxFields.Tensor.Floats:
                    message.ReadSingles(floats);
                    break;
                case OnnxFields.Tensor.Int32s or OnnxFields.Tensor.Int64s:
                    message.ReadInt64s(whole);
                    break;
                case OnnxFields.Tensor.Segment:
                    throw message.Broken("tensors in segments are not read");
                case OnnxFields.Tensor.External:
                    throw message.Broken("tensors whose data lie in another file are not read; save the model as one file");
                case OnnxFields.Tensor.Location when message.ReadInt64() == ExternalLocation:
                    throw message.Broken("tensors whose data lie in another file are not read; save the model as one file");
                case OnnxFields.Tensor.Location:
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        if (raw != null && (floats.WrittenCount > 0 || whole.Count > 0))
            throw message.Broken($"tensor '{name}' must hold its data once, but holds them raw and typed", message.Start);

        var kind = (OnnxType)int.CreateSaturating(type);
        int size = OnnxTensor.SizeOf(kind);
        ReadOnlyMemory<byte> data = raw ?? (kind == OnnxType.Float ? floats.WrittenMemory : LittleEndian(whole, size));
        if (dimensions.Exists(dimension => dimension < 0) || (size > 0 && ByteCount(dimensions, size) != (UInt128)data.Length))
        {
            string shape = $"[{string.Join(", ", dimensions.Take(LongestShape))}]";
            throw message.Broken($"tensor '{name}' of dimensions {shape} and {size} bytes an element cannot hold the {data.Length} bytes it has", message.Start);
        }

        return new() { Name = name, Dimensions = [.. dimensions], Type = kind, Data = size > 0 ? data : default, Offset = message.Start };
    }

    /// <summary>The bytes of a tensor; beyond the size of any file where there are too many to count.</summary>
    private static UInt128 ByteCount(List<long> dimensions, int size)
    {
        UInt128 bytes = (UInt128)size;
        foreach (long dimension in dimensions)
            bytes = UInt128.Min(bytes * (UInt128)dimension, long.MaxValue);

        return bytes;
    }

    private static byte[] LittleEndian(List<long> values, int size)
    {
        byte[] bytes = new byte[size * values.Count];
        Span<byte> whole = stackalloc byte[sizeof(long)];
        for (int i = 0; i < values.Count && size > 0; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(whole, values[i]);
            whole[..size].CopyTo(bytes.AsSpan(size * i));
        }

        return bytes;
    }

    private static OnnxValueInfo ReadValueInfo(MessageReader message)
    {
        string name = "";
        long type = 0;
        List<OnnxDimension>? dimensions = null;
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.ValueInfo.Name:
                    name = message.ReadText();
                    break;
                case OnnxFields.ValueInfo.Type:
                    MessageReader kind = message.ReadMessage();
                    while (kind.Next())
                    {
                        if (kind.Field == OnnxFields.ValueType.Tensor)
                            (type, dimensions) = ReadTensorType(kind.ReadMessage());
                        else
                            kind.Skip();
                    }

                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        return new(name, (OnnxType)int.CreateSaturating(type), dimensions, message.Start);
    }

    private static (long Type, List<OnnxDimension>? Dimensions) ReadTensorType(MessageReader message)
    {
        long type = 0;
        List<OnnxDimension>? dimensions = null;
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.ValueType.ElementType:
                    type = message.ReadInt64();
                    break;
                case OnnxFields.ValueType.Shape:
                    dimensions = [];
                    MessageReader shape = message.ReadMessage();
                    while (shape.Next())
                    {
                        if (shape.Field == OnnxFields.ValueType.Dimensions)
                            dimensions.Add(ReadDimension(shape.ReadMessage()));
                        else
                            shape.Skip();
                    }

                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        return (type, dimensions);
    }

    /// <summary>A dimension of which nothing is said may have any length, as one with a name.</summary>
    private static OnnxDimension ReadDimension(MessageReader message)
    {
        var dimension = new OnnxDimension(0, "?");
        while (message.Next())
        {
            switch (message.Field)
            {
                case OnnxFields.ValueType.Length:
                    dimension = new(message.ReadInt64());
                    break;
                case OnnxFields.ValueType.Symbol:
                    dimension = new(0, message.ReadText());
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        return dimension;
    }
}
