namespace NativeConv;

/// <summary>A parameter of a model: a view of the model's own memory, so that what is written here is what the model computes with.</summary>
public sealed class Parameter
{
    internal Parameter(string name, ParameterDescription description, Tensor value, Tensor? gradient)
    {
        Name = name;
        Description = description;
        Value = value;
        Gradient = gradient;
    }

    /// <summary>Its name in the model, as <c>conv2d.kernel</c>.</summary>
    public string Name { get; }

    /// <summary>What the layer asked for.</summary>
    public ParameterDescription Description { get; }

    /// <summary>Its shape.</summary>
    public TensorShape Shape => Value.Shape;

    /// <summary>What it is for.</summary>
    public ParameterRole Role => Description.Role;

    /// <summary>The values.</summary>
    public Tensor Value { get; }

    /// <summary>The gradient of the last backward pass, of the same shape; null for what no optimizer changes. Zero where the layer is frozen.</summary>
    public Tensor? Gradient { get; }

    /// <summary>Whether its layer is frozen: see <see cref="Model.Freeze"/>.</summary>
    public bool IsFrozen { get; internal set; }

    /// <summary>Whether an optimizer changes it: it has a gradient, and its layer is not frozen.</summary>
    public bool IsTrainable => Gradient != null && !IsFrozen;
}
