namespace NativeConv.PeerBenchmarks;

/// <summary>A peer cannot be loaded, or computes something else.</summary>
internal sealed class PeerException(string message, Exception? inner = null) : Exception(message, inner);
