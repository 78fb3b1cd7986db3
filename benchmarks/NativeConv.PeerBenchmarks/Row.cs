using System.Text.Json.Serialization;

namespace NativeConv.PeerBenchmarks;

/// <summary>One figure against one peer.</summary>
/// <param name="Name">What was computed.</param>
/// <param name="Threads">Threads of each side.</param>
/// <param name="Batch">Images.</param>
/// <param name="OursMilliseconds">NativeConv's time.</param>
/// <param name="Peer">Who it is measured against.</param>
/// <param name="PeerMilliseconds">The peer's time.</param>
internal sealed record Row(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("threads")] int Threads,
    [property: JsonPropertyName("batch")] int Batch,
    [property: JsonPropertyName("ours_ms")] double OursMilliseconds,
    [property: JsonPropertyName("peer")] string Peer,
    [property: JsonPropertyName("peer_ms")] double PeerMilliseconds)
{
    /// <summary>How many times longer the peer takes.</summary>
    [JsonPropertyName("ratio")]
    public double Ratio => PeerMilliseconds / OursMilliseconds;
}
