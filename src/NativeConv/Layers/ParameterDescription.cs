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

/// <summary>A parameter that a layer wants.</summary>
/// <param name="Name">Its name within the layer, as <c>kernel</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Initializer">How it starts; null for the model's choice, which looks at the activation that follows.</param>
/// <param name="FanIn">Inputs that add up to one output, for the initializer.</param>
/// <param name="FanOut">Outputs that one input adds to, for the initializer.</param>
public sealed record ParameterDescription(
    string Name, TensorShape Shape, ParameterRole Role, Initializer? Initializer = null, int FanIn = 1, int FanOut = 1)
{
    /// <summary>Whether an optimizer may change it.</summary>
    public bool IsTrainable => Role is not (ParameterRole.RunningMean or ParameterRole.RunningVariance);
}
