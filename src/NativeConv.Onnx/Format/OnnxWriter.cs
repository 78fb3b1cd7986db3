namespace NativeConv.Onnx.Format;

/// <summary>Writes an ONNX file. Equal models give equal bytes; weights go to the stream as they are.</summary>
internal static class OnnxWriter
{
    /// <exception cref="OverflowException">The file would pass the 2 GiB that Protocol Buffers allows a message.</exception>
    public static void Write(OnnxModel model, Stream stream)
    {
        var before = new MessageWriter();
        foreach (OnnxNode node in model.Nodes)
            before.Message(OnnxFields.Body.Nodes, Node(node));

        before.Text(OnnxFields.Body.Name, model.GraphName);
        (MessageWriter Header, ReadOnlyMemory<byte> Data)[] tensors = [.. model.Initializers.Select(tensor => (Header(tensor), tensor.Data))];
        var after = new MessageWriter();
        foreach (OnnxValueInfo input in model.Inputs)
            after.Message(OnnxFields.Body.Inputs, ValueInfo(input));

        foreach (OnnxValueInfo output in model.Outputs)
            after.Message(OnnxFields.Body.Outputs, ValueInfo(output));

        long length = before.Written.Length + tensors.Sum(tensor => (long)tensor.Header.Written.Length + tensor.Data.Length) + after.Written.Length;
        MessageWriter head = Head(model);
        head.BytesHeader(OnnxFields.Model.Body, checked((int)length));
        stream.Write(head.Written);
        stream.Write(before.Written);
        foreach ((MessageWriter header, ReadOnlyMemory<byte> data) in tensors)
        {
            stream.Write(header.Written);
            stream.Write(data.Span);
        }

        stream.Write(after.Written);
    }

    private static MessageWriter Head(OnnxModel model)
    {
        var head = new MessageWriter();
        head.Int64(OnnxFields.Model.IrVersion, model.IrVersion);
        head.Text(OnnxFields.Model.ProducerName, model.ProducerName);
        var operators = new MessageWriter();
        operators.Text(OnnxFields.OperatorSet.Domain, "");
        operators.Int64(OnnxFields.OperatorSet.Version, model.Opset);
        head.Message(OnnxFields.Model.OperatorSets, operators);
        foreach ((string key, string value) in model.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var entry = new MessageWriter();
            entry.Text(OnnxFields.Entry.Key, key);
            entry.Text(OnnxFields.Entry.Value, value);
            head.Message(OnnxFields.Model.Metadata, entry);
        }

        return head;
    }

    private static MessageWriter Node(OnnxNode node)
    {
        var message = new MessageWriter();
        foreach (string input in node.Inputs)
            message.Text(OnnxFields.Node.Inputs, input);

        foreach (string output in node.Outputs)
            message.Text(OnnxFields.Node.Outputs, output);

        message.Text(OnnxFields.Node.Name, node.Name);
        message.Text(OnnxFields.Node.Operator, node.Operator);
        foreach (OnnxAttribute attribute in node.Attributes)
            message.Message(OnnxFields.Node.Attributes, Attribute(attribute));

        return message;
    }

    private static MessageWriter Attribute(OnnxAttribute attribute)
    {
        var message = new MessageWriter();
        message.Text(OnnxFields.Attribute.Name, attribute.Name);
        switch (attribute.Kind)
        {
            case OnnxAttributeKind.Number:
                message.Single(OnnxFields.Attribute.Number, attribute.Number);
                break;
            case OnnxAttributeKind.Whole:
                message.Int64(OnnxFields.Attribute.Whole, attribute.Whole);
                break;
            case OnnxAttributeKind.Wholes:
                message.Int64s(OnnxFields.Attribute.Wholes, attribute.Wholes);
                break;
            default:
                throw new ArgumentException($"No exported attribute is a {attribute.Kind}.", nameof(attribute));
        }

        message.Int64(OnnxFields.Attribute.Kind, (long)attribute.Kind);
        return message;
    }

    /// <summary>A tensor's message in the graph, up to its data.</summary>
    private static MessageWriter Header(OnnxTensor tensor)
    {
        var message = new MessageWriter();
        message.Int64s(OnnxFields.Tensor.Dimensions, tensor.Dimensions);
        message.Int64(OnnxFields.Tensor.Type, (long)tensor.Type);
        message.Text(OnnxFields.Tensor.Name, tensor.Name);
        message.BytesHeader(OnnxFields.Tensor.Raw, tensor.Data.Length);
        var header = new MessageWriter();
        header.BytesHeader(OnnxFields.Body.Initializers, message.Written.Length + tensor.Data.Length);
        header.Raw(message.Written);
        return header;
    }

    private static MessageWriter ValueInfo(OnnxValueInfo info)
    {
        var shape = new MessageWriter();
        foreach (OnnxDimension dimension in info.Dimensions ?? [])
        {
            var message = new MessageWriter();
            if (dimension.Symbol == null)
                message.Int64(OnnxFields.ValueType.Length, dimension.Length);
            else
                message.Text(OnnxFields.ValueType.Symbol, dimension.Symbol);

            shape.Message(OnnxFields.ValueType.Dimensions, message);
        }

        MessageWriter tensor = new(), type = new(), value = new();
        tensor.Int64(OnnxFields.ValueType.ElementType, (long)info.Type);
        tensor.Message(OnnxFields.ValueType.Shape, shape);
        type.Message(OnnxFields.ValueType.Tensor, tensor);
        value.Text(OnnxFields.ValueInfo.Name, info.Name);
        value.Message(OnnxFields.ValueInfo.Type, type);
        return value;
    }
}
