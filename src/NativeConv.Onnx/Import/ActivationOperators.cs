namespace NativeConv.Onnx.Import;

/// <summary>The operators that are an activation of the library, if their settings are its.</summary>
internal static class ActivationOperators
{
    /// <summary>The function of a node; null where it is none, and then the rule says which settings its operator must have, if it is an activation at all.</summary>
    public static Activation? Find(NodeReader node, GraphIndex graph, out string? rule)
    {
        rule = null;
        switch (node.Operator)
        {
            case "Relu":
                return Activation.ReLU;
            case "Sigmoid":
                return Activation.Sigmoid;
            case "Tanh":
                return Activation.Tanh;
            case "HardSwish":
                return Activation.HardSwish;
            case "LeakyRelu":
                rule = "alpha must be 0.01";
                return Near(node.Number("alpha", 0.01f), 0.01f) ? Activation.LeakyReLU : null;
            case "Elu":
                rule = "alpha must be 1";
                return Near(node.Number("alpha", 1), 1) ? Activation.Elu : null;
            case "HardSigmoid":
                rule = "alpha must be 1/6 and beta 0.5";
                return Near(node.Number("alpha", 0.2f), 1 / 6f) && Near(node.Number("beta", 0.5f), 0.5f) ? Activation.HardSigmoid : null;
            case "Gelu":
                rule = "approximate must be none";
                return node.Text("approximate", "none") == "none" ? Activation.Gelu : null;
            case "Clip":
                rule = "the bounds must be constants, 0 and 6, or 0 and none";
                return (Bound(node, graph, "min", 1, float.NegativeInfinity), Bound(node, graph, "max", 2, float.PositiveInfinity)) switch
                {
                    (0, 6) => Activation.ReLU6,
                    (0, >= float.MaxValue) => Activation.ReLU,
                    _ => null,
                };
            default:
                return null;
        }
    }

    /// <summary>Whether a constant is one that was rounded on its way through a file.</summary>
    public static bool Near(float value, float constant) => Math.Abs(value - constant) <= 1e-5f * Math.Abs(constant);

    /// <summary>A bound of Clip, an attribute before operator set 11 and an input since; NaN where it is no constant.</summary>
    private static float Bound(NodeReader node, GraphIndex graph, string name, int input, float absent)
    {
        float attribute = node.Number(name, absent);
        return node.Input(input).Length == 0 ? attribute : graph.Scalar(node.Input(input)) ?? float.NaN;
    }
}
