namespace NativeConv;

/// <summary>A training step met a number that is not finite; it changed nothing.</summary>
public sealed class NonFiniteException : Exception
{
    /// <summary>With a message that names the step and the layer.</summary>
    public NonFiniteException(string message)
        : base(message)
    {
    }
}
