namespace NativeConv.Onnx.Import;

/// <summary>An activation as the expression of simpler operators that exporters write for it.</summary>
internal abstract record ActivationPattern
{
    private ActivationPattern()
    {
    }

    /// <summary>The expressions that are known for each function.</summary>
    public static IReadOnlyList<(ActivationPattern Pattern, Activation Function)> All { get; } = Create();

    private static (ActivationPattern Pattern, Activation Function)[] Create()
    {
        ActivationPattern x = new Input();
        ActivationPattern clipped = new Apply(Activation.ReLU6, new Shift(x, 3));
        ActivationPattern error = new Shift(new ErrorFunction(new Scale(x, 1 / float.Sqrt(2))), 1);
        return
        [
            (new Product(x, new Apply(Activation.Sigmoid, x)), Activation.SiLU),
            (new Product(x, new Apply(Activation.HardSigmoid, x)), Activation.HardSwish),
            (new Scale(new Product(x, clipped), 1 / 6f), Activation.HardSwish),
            (new Product(x, new Scale(clipped, 1 / 6f)), Activation.HardSwish),
            (new Scale(clipped, 1 / 6f), Activation.HardSigmoid),
            (new Apply(Activation.ReLU6, x), Activation.ReLU6),
            (new Scale(new Product(x, error), 0.5f), Activation.Gelu),
            (new Product(new Scale(x, 0.5f), error), Activation.Gelu),
            (new Product(x, new Scale(error, 0.5f)), Activation.Gelu),
        ];
    }

    /// <summary>What the function is applied to.</summary>
    public sealed record Input : ActivationPattern;

    /// <summary>A multiplication by a constant, or a division by its inverse.</summary>
    public sealed record Scale(ActivationPattern Of, float Factor) : ActivationPattern;

    /// <summary>An addition of a constant.</summary>
    public sealed record Shift(ActivationPattern Of, float Offset) : ActivationPattern;

    /// <summary>A multiplication of two tensors, in either order.</summary>
    public sealed record Product(ActivationPattern First, ActivationPattern Second) : ActivationPattern;

    /// <summary>An activation that is one operator.</summary>
    public sealed record Apply(Activation Function, ActivationPattern Of) : ActivationPattern;

    /// <summary>The error function, which is no activation by itself.</summary>
    public sealed record ErrorFunction(ActivationPattern Of) : ActivationPattern;
}
