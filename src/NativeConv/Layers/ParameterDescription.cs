namespace NativeConv;

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
