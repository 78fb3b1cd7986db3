namespace NativeConv;

/// <summary>What a parameter is for; decay, freezing and file names go by it.</summary>
public enum ParameterRole
{
    /// <summary>Weights: the only role that decoupled weight decay touches.</summary>
    Kernel,

    /// <summary>An offset per output.</summary>
    Bias,

    /// <summary>The scale of a normalization.</summary>
    Gamma,

    /// <summary>The offset of a normalization.</summary>
    Beta,

    /// <summary>A normalization's running mean: saved with the model, not trained.</summary>
    RunningMean,

    /// <summary>A normalization's running variance: saved with the model, not trained.</summary>
    RunningVariance,
}
