namespace NativeConv;

/// <summary>A function applied to every value.</summary>
public enum Activation
{
    /// <summary>x.</summary>
    Linear,

    /// <summary>max(x, 0); its slope at 0 is 0.</summary>
    ReLU,

    /// <summary>min(max(x, 0), 6); its slope at 0 and 6 is 0.</summary>
    ReLU6,

    /// <summary>x above 0, else 0.01 x.</summary>
    LeakyReLU,

    /// <summary>x above 0, else e^x - 1.</summary>
    Elu,

    /// <summary>1 / (1 + e^-x).</summary>
    Sigmoid,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>x sigmoid(x), also called swish.</summary>
    SiLU,

    /// <summary>x min(max(x + 3, 0), 6) / 6.</summary>
    HardSwish,

    /// <summary>min(max(x + 3, 0), 6) / 6.</summary>
    HardSigmoid,

    /// <summary>x Φ(x), where Φ is the normal distribution's cumulative probability (Hendrycks and Gimpel, 2016; the exact form).</summary>
    Gelu,
}
