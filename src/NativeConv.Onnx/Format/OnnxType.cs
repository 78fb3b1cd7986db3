namespace NativeConv.Onnx.Format;

/// <summary>What a tensor's elements are; of the types that ONNX numbers, those whose values are ever read.</summary>
internal enum OnnxType
{
    Float = 1,
    Int64 = 7,
    Bool = 9,
}
