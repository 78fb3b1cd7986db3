using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>Measures single layers, forward and with both gradients, against libtorch, and forward against ONNX Runtime, in a process that is started again where a peer has ended it.</summary>
internal static class LayersCommand
{
    // How a process ends that says itself what is wrong.
    private const int Failure = 1;

    public static Command Build()
    {
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        Option<string?> json = Commands.Json();
        var command = new Command("layers", "Measures single layers.") { threads, filter, json };
        command.SetAction(parsed => Run(parsed.GetValue(threads), parsed.GetValue(filter) ?? [], parsed.GetValue(json)));
        return command;
    }

    private static int Run(int threads, string[] filter, string? json)
    {
        var journal = new LayerJournal(Path.GetTempFileName());
        try
        {
            int exitCode, failed = 0, before = -1;
            while ((exitCode = Measure(journal, threads, filter)) != 0 && exitCode != Failure)
            {
                IReadOnlyList<LayerEntry> entries = journal.Entries;
                if (entries is [.., { Event: LayerEvent.Tried or LayerEvent.Timed } last])
                {
                    journal.Add(LayerEvent.Ended, last.What);
                    bool isTried = last.Event == LayerEvent.Tried;
                    string how = isTried ? $"{PeerLibraries.Libtorch} ended the process" : "the process ended while it was timed,";
                    Console.WriteLine($"Not timed: {last.What.TrimEnd()}: {how} with {exitCode}.");

                    // A peer did not do that by trying: it may have been any side.
                    if (!isTried)
                        failed = exitCode;
                }
                else if (entries.Count == before)
                {
                    break;
                }

                before = journal.Entries.Count;
            }

            failed = exitCode == 0 ? failed : exitCode;
            MeasuredLayer[] measured = [.. Measured(journal)];
            if (measured.Length > 0)
                LayerSummary.Print(measured);

            int finished = measured.Length > 0 || failed == 0 ? Commands.Finish([.. measured.Select(layer => layer.Row)], json) : Failure;
            return failed == 0 ? finished : Failed(failed);
        }
        finally
        {
            File.Delete(journal.Path);
        }
    }

    /// <summary>What was measured before is kept.</summary>
    private static int Failed(int exitCode)
    {
        if (exitCode != Failure)
            Console.Error.WriteLine($"The process that measures layers ended with {exitCode}.");

        return Failure;
    }

    /// <summary>How the process ended that measures what the journal does not have.</summary>
    private static int Measure(LayerJournal journal, int threads, string[] filter)
    {
        string[] only = filter.Length > 0 ? ["--filter", .. filter] : [];
        using Process process = OwnProcess.Start(redirectsOutput: false, [LayerMeasurement.Name, journal.Path, "--threads", threads.ToString(CultureInfo.InvariantCulture), .. only]);
        process.WaitForExit();
        return process.ExitCode;
    }

    private static IEnumerable<MeasuredLayer> Measured(LayerJournal journal)
    {
        Dictionary<string, Row[]> rows = journal.Entries.Where(entry => entry.Event == LayerEvent.Measured).ToDictionary(entry => entry.What, entry => entry.Rows);
        return
            from layer in LayerTable.All
            from pass in Enum.GetValues<LayerPass>()
            from row in rows.GetValueOrDefault(LayerMeasurement.Label(layer.Shape, pass), [])
            select new MeasuredLayer(layer.Shape, pass, row);
    }
}
