namespace NativeConv.Onnx.Format;

/// <summary>The numbers of the fields that are read or written, by message. Source: onnx.proto of ONNX 1.12, which later versions only add to.</summary>
internal static class OnnxFields
{
    public static class Model
    {
        public const int IrVersion = 1, ProducerName = 2, Body = 7, OperatorSets = 8, Metadata = 14;
    }

    public static class OperatorSet
    {
        public const int Domain = 1, Version = 2;
    }

    public static class Entry
    {
        public const int Key = 1, Value = 2;
    }

    public static class Body
    {
        public const int Nodes = 1, Name = 2, Initializers = 5, Inputs = 11, Outputs = 12, SparseInitializers = 15;
    }

    public static class Node
    {
        public const int Inputs = 1, Outputs = 2, Name = 3, Operator = 4, Attributes = 5, Domain = 7;
    }

    public static class Attribute
    {
        public const int Name = 1, Number = 2, Whole = 3, Text = 4, Tensor = 5, Numbers = 7, Wholes = 8, Kind = 20;
    }

    public static class Tensor
    {
        public const int Dimensions = 1, Type = 2, Segment = 3, Floats = 4, Int32s = 5, Int64s = 7, Name = 8, Raw = 9, External = 13, Location = 14;
    }

    public static class ValueInfo
    {
        public const int Name = 1, Type = 2;
    }

    public static class ValueType
    {
        public const int Tensor = 1, ElementType = 1, Shape = 2, Dimensions = 1, Length = 1, Symbol = 2;
    }
}
