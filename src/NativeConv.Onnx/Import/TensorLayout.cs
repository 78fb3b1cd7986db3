namespace NativeConv.Onnx.Import;

/// <summary>Which dimensions an ONNX tensor has.</summary>
internal enum TensorLayout
{
    /// <summary>[N, channels, height, width].</summary>
    ChannelsFirst,

    /// <summary>[N, height, width, channels], between two transpositions.</summary>
    ChannelsLast,

    /// <summary>[N, length].</summary>
    Vector,
}
