using System.Text.Json.Serialization;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>One network's growth of peak memory against one peer's.</summary>
/// <param name="Name">The network.</param>
/// <param name="Threads">Threads of each side.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="OursMebibytes">NativeConv's.</param>
/// <param name="Peer">Who it is measured against.</param>
/// <param name="PeerMebibytes">The peer's.</param>
internal sealed record MemoryRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("threads")] int Threads,
    [property: JsonPropertyName("batch")] int Batch,
    [property: JsonPropertyName("ours_mib")] double OursMebibytes,
    [property: JsonPropertyName("peer")] string Peer,
    [property: JsonPropertyName("peer_mib")] double PeerMebibytes)
{
    /// <summary>How many times more the peer takes.</summary>
    [JsonPropertyName("ratio")]
    public double Ratio => PeerMebibytes / OursMebibytes;
}
