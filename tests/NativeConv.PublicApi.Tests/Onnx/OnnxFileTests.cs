using FluentAssertions;
using Xunit;
using static NativeConv.PublicApi.Tests.Onnx.OnnxBytes;

namespace NativeConv.PublicApi.Tests.Onnx;

public sealed class OnnxFileTests
{
    private static readonly byte[] X = Input("x", 0, 2, 4, 4), Vector = Input("x", 0, 6), Y = Output("y");

    /// <summary>Graphs that are well formed but have what the library lacks, and what the message must say.</summary>
    public static TheoryData<string, byte[]> Refused => new()
    {
        { "node 'it' (Softplus): the library has no such operator", Graph(X, Node("Softplus", ["x"], ["y"])) },
        { "node 'it' (Erf): the library has no such operator", Graph(X, Node("Erf", ["x"], ["y"])) },
        { "node 'it' (Softmax): *PredictProbabilities", Graph(X, Node("Softmax", ["x"], ["y"])) },
        { "node 'it' (com.example.Relu): operators of this domain", Graph(X, Message(1, Text(1, "x"), Text(2, "y"), Text(3, "it"), Text(4, "Relu"), Text(7, "com.example"))) },
        { "(LeakyRelu): *alpha must be 0.01", Graph(X, Node("LeakyRelu", ["x"], ["y"], ("alpha", 0.2f))) },
        { "(Elu): *alpha must be 1", Graph(X, Node("Elu", ["x"], ["y"], ("alpha", 2f))) },
        { "(HardSigmoid): *1/6", Graph(X, Node("HardSigmoid", ["x"], ["y"])) },
        { "(Gelu): *approximate", Graph(X, Node("Gelu", ["x"], ["y"], ("approximate", "tanh"))) },
        { "(Clip): *0 and 6", Graph(X, Node("Clip", ["x"], ["y"], ("min", 0f), ("max", 5f))) },
        { "(Clip): *constants", Graph(X, Node("Clip", ["x", "x"], ["y"])) },
        { "(Relu): the attribute 'slope' is not known", Graph(X, Node("Relu", ["x"], ["y"], ("slope", 1f))) },
        { "(Conv): the attribute 'group' must be a Whole, but is a Number", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("group", 1f))) },
        { "(Conv): the kernel is missing", Graph(X, Node("Conv", ["x"], ["y"])) },
        { "(Conv): the kernel 'x' must be a constant", Graph(X, Node("Conv", ["x", "x"], ["y"])) },
        { "(Conv): the kernel must be [filters, channels/group, height, width], but is [1, 2, 3]", Graph(X, Weights("w", 1, 2, 3), Node("Conv", ["x", "w"], ["y"])) },
        { "(Conv): *[1, 3, 1, 1] with 1 groups does not fit images of 2 channels", Graph(X, Weights("w", 1, 3, 1, 1), Node("Conv", ["x", "w"], ["y"])) },
        { "(Conv): *0 groups", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("group", 0L))) },
        { "(Conv): *kernel_shape", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("kernel_shape", (long[])[1, 2]))) },
        { "(Conv): *bias of [2]", Graph(X, Weights("w", 1, 2, 1, 1), Weights("b", 2), Node("Conv", ["x", "w", "b"], ["y"])) },
        { "(Conv): strides must be two numbers of at least 1, but is [0, 1]", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("strides", (long[])[0, 1]))) },
        { "(Conv): pads must be four numbers", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("pads", (long[])[0, 0, -1, 0]))) },
        { "(Conv): auto_pad must be", Graph(X, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"], ("auto_pad", "SAME"))) },
        { "(Conv): *output would be empty", Graph(X, Weights("w", 1, 2, 5, 5), Node("Conv", ["x", "w"], ["y"])) },
        { "(Conv): it needs images [N, channels, height, width], but 'x' are vectors [N, 6]", Graph(Vector, Weights("w", 1, 2, 1, 1), Node("Conv", ["x", "w"], ["y"])) },
        { "(MaxPool): kernel_shape is missing", Graph(X, Node("MaxPool", ["x"], ["y"])) },
        { "(MaxPool): *no dilation", Graph(X, Node("MaxPool", ["x"], ["y"], ("kernel_shape", (long[])[2, 2]), ("dilations", (long[])[2, 2]))) },
        { "(MaxPool): *at most 256 cells", Graph(Input("x", 0, 1, 40, 40), Node("MaxPool", ["x"], ["y"], ("kernel_shape", (long[])[20, 20]))) },
        {
            "(AveragePool): *count_include_pad",
            Graph(X, Node("AveragePool", ["x"], ["y"], ("kernel_shape", (long[])[2, 2]), ("pads", (long[])[0, 0, 1, 1]), ("count_include_pad", 1L)))
        },
        { "(ReduceMean): *axes [2]", Graph(X, Node("ReduceMean", ["x"], ["y"], ("axes", (long[])[2]))) },
        { "(BatchNormalization): *for inference", Graph(X, Node("BatchNormalization", ["x", "x", "x", "x", "x"], ["y"], ("training_mode", 1L))) },
        { "(BatchNormalization): running_var is missing", Graph(X, Weights("w", 2), Node("BatchNormalization", ["x", "w", "w", "w"], ["y"])) },
        { "(BatchNormalization): gamma of [3] does not fit 2 channels", Graph(X, Weights("w", 3), Node("BatchNormalization", ["x", "w", "w", "w", "w"], ["y"])) },
        { "(Dropout): *for inference", Graph(X, Weights("r", 1), Message(5, Text(8, "t"), Whole(2, 9), Message(9, [1])), Node("Dropout", ["x", "r", "t"], ["y"])) },
        { "(Dropout): *rate must be 0 up to", Graph(X, Node("Dropout", ["x"], ["y"], ("ratio", 1f))) },
        { "(Gemm): transA", Graph(Vector, Weights("w", 6, 3), Node("Gemm", ["x", "w"], ["y"], ("transA", 1L))) },
        { "(Gemm): a matrix of [5, 3] does not fit vectors of 6", Graph(Vector, Weights("w", 5, 3), Node("Gemm", ["x", "w"], ["y"])) },
        { "(Gemm): a bias of [2, 3] does not fit", Graph(Vector, Weights("w", 6, 3), Weights("b", 2, 3), Node("Gemm", ["x", "w", "b"], ["y"])) },
        { "(Gemm): it needs vectors", Graph(X, Weights("w", 6, 3), Node("Gemm", ["x", "w"], ["y"])) },
        { "(MatMul): *floats, but is of type 7", Graph(Vector, Sizes("w", 1), Node("MatMul", ["x", "w"], ["y"])) },
        { "(Add): *one shape", Graph(X, Node("GlobalAveragePool", ["x"], ["g"]), Node("Add", ["x", "g"], ["y"])) },
        { "(Add): a constant must be one number, or one a channel", Graph(X, Weights("w", 4, 4), Node("Add", ["x", "w"], ["y"])) },
        { "(Mul): *one value a channel", Graph(X, Weights("w", 3, 2, 1, 1), Node("Conv", ["x", "w"], ["c"]), Node("Mul", ["x", "c"], ["y"])) },
        { "(Sub): *does not subtract", Graph(X, Node("Sub", ["x", "x"], ["y"])) },
        { "(Div): *does not divide by a tensor", Graph(X, Weights("w", 1), Node("Div", ["w", "x"], ["y"])) },
        { "(Mul): *finite", Graph(X, Message(5, Tensor("w", [float.NaN])), Node("Mul", ["x", "w"], ["y"])) },
        { "(Concat): *this joins axis 2", Graph(X, Node("Concat", ["x", "x"], ["y"], ("axis", 2L))) },
        { "(Concat): *one layout", Graph(X, Node("Flatten", ["x"], ["f"]), Node("Concat", ["x", "f"], ["y"], ("axis", 1L))) },
        { "(Flatten): *axis 2", Graph(X, Node("Flatten", ["x"], ["y"], ("axis", 2L))) },
        { "(Flatten): an axis of 4 dimensions must be -4 to 3, but is 4", Graph(X, Node("Flatten", ["x"], ["y"], ("axis", 4L))) },
        { "(Reshape): *makes [2, -1] of images [N, 2, 4, 4]", Graph(X, Sizes("s", 2, -1), Node("Reshape", ["x", "s"], ["y"])) },
        { "(Reshape): *makes [0, 4, 8] of", Graph(X, Sizes("s", 0, 4, 8), Node("Reshape", ["x", "s"], ["y"])) },
        { "(Reshape): *makes [-1, -1] of", Graph(X, Sizes("s", -1, -1), Node("Reshape", ["x", "s"], ["y"])) },
        { "(Reshape): the new shape must be constant", Graph(X, Node("Reshape", ["x", "x"], ["y"])) },
        { "(Transpose): *this is [0, 1, 3, 2]", Graph(X, Node("Transpose", ["x"], ["y"], ("perm", (long[])[0, 1, 3, 2]))) },
        { "(Pad): the library pads within", Graph(X, Node("Pad", ["x"], ["y"], ("pads", (long[])[0, 0, 1, 1, 0, 0, 1, 1]))) },
        { "(Relu): no node before it writes 'a'", Graph(X, Node("Relu", ["a"], ["y"])) },
        { "(Relu): no node before it writes 'y'", Graph(X, Node("Relu", ["y"], ["z"]), Node("Relu", ["z"], ["y"])) },
        { "(Relu): an input is missing", Graph(X, Node("Relu", [], ["y"])) },
        { "(Relu): its input 'w' must not be a constant", Graph(X, Weights("w", 1), Node("Relu", ["w"], ["y"])) },
        { "(Tanh): it writes 'y', which is written elsewhere", Graph(X, Node("Relu", ["x"], ["y"]), Node("Tanh", ["x"], ["y"])) },
        { "(Relu): it writes 'x', which is the input", Graph(X, Node("Relu", ["y"], ["x"]), Node("Relu", ["x"], ["y"])) },
        { "there are two initializers named 'w'", Graph(X, Weights("w", 1), Weights("w", 1), Node("Relu", ["x"], ["y"])) },
        { "a model has one input, but the graph has 2", Graph(X, Input("z", 0, 1), Node("Relu", ["x"], ["y"])) },
        { "a model has one input, but the graph has 0", OnnxBytes.Model(Y) },
        { "a model has one output, but the graph has 2", Graph(X, Output("z"), Node("Relu", ["x"], ["y"])) },
        { "no node writes the output 'y'", Graph(X, Node("Relu", ["x"], ["z"])) },
        { "the input 'x' must be *[N, 2, N, 4]", Graph(Input("x", 0, 2, 0, 4), Node("Relu", ["x"], ["y"])) },
        { "the input 'x' must be *[N, 2, 4]", Graph(Input("x", 0, 2, 4), Node("Relu", ["x"], ["y"])) },
        { "the input 'x' must be a tensor of floats, but is of type 10", Graph(ValueInfo(11, "x", 10, 0, 2, 4, 4), Node("Relu", ["x"], ["y"])) },
        { "the input 'x' of * is too large", Graph(Input("x", 0, 2000, 2000, 2000), Node("Relu", ["x"], ["y"])) },
        { "the output 'y' is a flattened image in channel, height, width order", Graph(X, Node("Flatten", ["x"], ["y"])) },
        { "the class names in 'nativeconv.classes' are wrong", [.. Graph(X, Node("Relu", ["x"], ["y"])), .. Message(14, Text(1, "nativeconv.classes"), Text(2, "[1]"))] },
        { "the class names in 'nativeconv.classes' are wrong", [.. Graph(X, Node("Relu", ["x"], ["y"])), .. Message(14, Text(1, "nativeconv.classes"), Text(2, "[\"a\"]"))] },
    };

    /// <summary>Files that break a rule of the format, and what the message must say.</summary>
    public static TheoryData<string, byte[]> Broken => new()
    {
        { "bytes, byte 0: an ONNX file has an IR version of at least 3, but this one 0", [] },
        { "bytes, byte 0: a field's number must be 1", [0] },
        { "bytes, byte 0: field 4 has the wire type 3", [(4 << 3) | 3] },
        { "bytes, byte 0: field 7 should have 9 bytes, but only 1 follow", [(7 << 3) | 2, 9, 1] },
        { "bytes, byte 0: field 1 must have the wire type Varint, but has Fixed32", [(1 << 3) | 5, 0, 0, 0, 0] },
        { "bytes, byte 0: field 9 should have 8 bytes, but only 2 follow", [(9 << 3) | 1, 1, 2] },
        { "bytes, byte 2: a whole number must end within its message", [1 << 3, 0x80] },
        { "64 bits", [1 << 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02] },
        { "bytes, byte 0: field 2 must be UTF-8", Message(2, [0xFF]) },
        { "the model has no graph", Whole(1, 8) },
        { "the model names no version", [.. Whole(1, 8), .. Message(7, X)] },
        { "operator sets 6 to 24 are read, but the model needs 25", [.. Whole(1, 8), .. Message(8, Whole(2, 25)), .. Message(7, X)] },
        { "operator sets 6 to 24 are read, but the model needs 5", [.. Whole(1, 8), .. Message(8, Whole(2, 5)), .. Message(7, X)] },
        { "a model has one graph, but this is another", [.. Graph(X), .. Message(7, X)] },
        { "a node must name its operator", OnnxBytes.Model(Message(1, Text(1, "x"))) },
        { "an attribute must have a name", OnnxBytes.Model(Message(1, Text(4, "Relu"), Message(5, Whole(3, 1)))) },
        { "an initializer must have a name", OnnxBytes.Model(Message(5, Tensor("", [1], 1))) },
        { "sparse initializers", OnnxBytes.Model(Message(15)) },
        { "in another file", OnnxBytes.Model(Message(5, Text(8, "w"), Message(13, Text(1, "location"), Text(2, "/etc/passwd")))) },
        { "in another file", OnnxBytes.Model(Message(5, Text(8, "w"), Whole(14, 1))) },
        { "tensors in segments", OnnxBytes.Model(Message(5, Text(8, "w"), Message(3))) },
        { "raw and typed", OnnxBytes.Model(Message(5, Tensor("w", [1], 1), Message(9, [0, 0, 0, 0]))) },
        { "cannot hold the 4 bytes", OnnxBytes.Model(Message(5, Tensor("w", [1], 2))) },
        { "cannot hold the 4 bytes", OnnxBytes.Model(Message(5, Tensor("w", [1], -1, -1))) },
        { "cannot hold the 4 bytes", OnnxBytes.Model(Message(5, Tensor("w", [1], 1L << 32, 1L << 32, 1L << 32, 1L << 32))) },
        { "cannot hold the 3 bytes", OnnxBytes.Model(Message(5, Text(8, "w"), Whole(1, 1), Whole(2, 1), Message(9, [0, 0, 0]))) },
        { "must be whole floats", OnnxBytes.Model(Message(5, Text(8, "w"), Whole(1, 1), Whole(2, 1), Message(4, [0, 0, 0]))) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void LoadOnnx_WhatTheLibraryLacks_IsRefusedByName(string message, byte[] file) => ShouldRefuse(file, $"bytes, byte *{message}*");

    [Theory]
    [MemberData(nameof(Broken))]
    public void LoadOnnx_BrokenFile_NamesByteAndRule(string message, byte[] file) => ShouldRefuse(file, $"*{message}*");

    private static void ShouldRefuse(byte[] file, string message)
    {
        Action load = () => Model.LoadOnnx(file);
        load.Should().Throw<InvalidDataException>().WithMessage(message);
    }

    private static byte[] Graph(params byte[][] fields) => OnnxBytes.Model([.. fields, Y]);
}
