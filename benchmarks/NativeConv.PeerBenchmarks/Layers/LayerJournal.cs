using System.Text.Json;

namespace NativeConv.PeerBenchmarks.Layers;

internal enum LayerEvent
{
    /// <summary>A peer is about to compute a pass for the first time.</summary>
    Tried,

    /// <summary>All peers have computed it, and are about to be timed.</summary>
    Timed,

    /// <summary>The process ended there.</summary>
    Ended,

    /// <summary>A pass is measured.</summary>
    Measured,
}

/// <summary>A line of the journal.</summary>
/// <param name="Event">What happened.</param>
/// <param name="What">To which pass of a layer, or by which peer of one.</param>
/// <param name="Rows">What was measured.</param>
internal sealed record LayerEntry(LayerEvent Event, string What, Row[] Rows);

/// <summary>What the process that measures layers has done so far, in a file: a peer that fails in native code takes the process with it, and the next one goes on.</summary>
internal sealed class LayerJournal(string path)
{
    public string Path => path;

    /// <summary>In order.</summary>
    public IReadOnlyList<LayerEntry> Entries => File.Exists(path)
        ? [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<LayerEntry>(line)!)]
        : [];

    public void Add(LayerEvent happened, string what, params Row[] rows) =>
        File.AppendAllText(path, JsonSerializer.Serialize(new LayerEntry(happened, what, rows)) + Environment.NewLine);
}
