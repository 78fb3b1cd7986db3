namespace NativeConv.Tests.Support;

/// <summary>A result that is not within a golden value's bounds.</summary>
public sealed class GoldenMismatchException(string message) : Exception(message);
