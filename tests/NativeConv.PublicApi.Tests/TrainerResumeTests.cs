using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using MnistTrainer;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer stopped, killed and resumed, each time in a new process.</summary>
public sealed class TrainerResumeTests : IDisposable
{
    /// <summary>The environment variable that asks for more kills.</summary>
    private const string KillsVariable = "NATIVECONV_KILLS";

    private const int DefaultKills = 50;

    // Small batches: checkpoints take a good part of the time, so that some kills hit one.
    private static readonly string[] Training = ["train", "--data", "data", "--epochs", "3", "--batch-size", "4", "--validation", "40", "--seed", "5"];
    private static readonly string[] Outcome = ["model.safetensors", "best.safetensors", "checkpoint.safetensors", "history.csv"];

    private readonly string _folder = Directory.CreateTempSubdirectory("resume-").FullName;

    public TrainerResumeTests() => DigitFiles.Write(Path.Combine(_folder, "data"), DrawnDigits.Create(120, seed: 1), DrawnDigits.Create(20, seed: 2));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Resume_AfterStopsAtRandomSteps_EndsWithTheSameFiles()
    {
        Succeeds([.. Training, "--output", "straight", "--threads", "2"]);
        var random = new System.Random(1);
        int parts = 0;
        double seconds = 0;
        for (string[] start = Training; !IsFinished("parts"); start = ["train", "--resume"])
        {
            string[] stop = parts < 3 ? ["--stop-after-steps", $"{random.Next(1, 20)}"] : [];
            TrainerProcess.Result part = Succeeds([.. start, "--output", "parts", "--threads", $"{1 + (parts % 2)}", .. stop]);
            if (parts < 3)
                part.Output.Should().Contain("--resume --output parts");

            Summary("parts").GetProperty("finished").GetBoolean().Should().Be(parts == 3);
            Summary("parts").GetProperty("imagesPerSecond").GetDouble().Should().BePositive();

            // Also where the first epoch is under way.
            double now = Summary("parts").GetProperty("trainSeconds").GetDouble();
            now.Should().BeGreaterThan(seconds, "every part takes time");
            part.Output.Should().Contain(string.Create(CultureInfo.InvariantCulture, $"Trained in {now:F1} s"));
            seconds = now;
            parts++;
        }

        parts.Should().Be(4);
        HaveTheSameOutcome("straight", "parts");

        // What is finished stays as it is, and what does not belong to the run is refused.
        Dictionary<string, DateTime> before = Times("parts");
        Succeeds(["--resume", "--output", "parts"]).Output.Should().Contain("finished");
        Succeeds([.. Training, "--resume", "--output", "parts"]).Output.Should().Contain("finished");
        Fails("--seed is 6, but the run in 'parts' was started with 5", "--resume", "--output", "parts", "--seed", "6");
        Fails("epochs is 3 there, but 4 here", "--resume", "--output", "parts", "--epochs", "4");
        Times("parts").Should().Equal(before);
    }

    /// <summary>Averaged weights, varied images and a schedule, stopped within an epoch.</summary>
    [Theory]
    [InlineData("--model", "best", 75_114)]
    [InlineData("--model", "tiny", 7_514)]
    [InlineData("--recipe", "quick", 34_474)]
    public void Resume_OfARecipe_EndsWithTheSameFiles(string option, string recipe, int parameters)
    {
        string[] training = ["train", option, recipe, "--data", "data", "--epochs", "2", "--batch-size", "20", "--validation", "40"];
        Succeeds([.. training, "--output", "straight", "--threads", "2"]).Output.Should()
            .Contain($"{recipe}: {parameters} parameters").And.Contain("2 epochs, batch size 20").And.Contain("epoch  2/2");
        Summary("straight").GetProperty("model").GetString().Should().Be(recipe);
        Summary("straight").GetProperty("parameters").GetInt32().Should().Be(parameters);

        Succeeds([.. training, "--output", "parts", "--stop-after-steps", "3"]);
        bool augments = Recipes.Get(recipe).Augmentation != null;
        Fails("--learning-rate is 0.5, but the run in 'parts' was started with", "--resume", "--output", "parts", "--learning-rate", "0.5");
        Fails($"but the run in 'parts' was started with {(augments ? "true" : "false")}", "--resume", "--output", "parts", "--augment", augments ? "false" : "true");
        Fails($"--recipe is keras, but the run in 'parts' was started with {recipe}", "--resume", "--output", "parts", "--model", "keras");
        Succeeds(["train", "--resume", "--output", "parts"]);
        HaveTheSameOutcome("straight", "parts");
    }

    [Fact]
    public void Resume_WithoutACheckpointOrWithABadOne_IsOneLineAndExitCode1()
    {
        Fails("no checkpoint.safetensors in 'runs'", "--resume");
        Fails("no checkpoint.safetensors in 'none'", "train", "--resume", "--output", "none");
        Directory.CreateDirectory(Path.Combine(_folder, "bad"));
        File.WriteAllText(Path.Combine(_folder, "bad", "checkpoint.safetensors"), "{}");
        Fails("byte 0", "train", "--resume", "--output", "bad");
        File.ReadAllText(Path.Combine(_folder, "bad", "checkpoint.safetensors")).Should().Be("{}");
        Directory.GetFileSystemEntries(Path.Combine(_folder, "bad")).Should().ContainSingle();
    }

    [Fact]
    public void Kill_AtRandomInstants_LosesNothingButTheStepsSinceTheCheckpoint()
    {
        var clock = Stopwatch.StartNew();
        Succeeds([.. Training, "--output", "straight"]);
        TimeSpan straight = clock.Elapsed;
        int kills = int.TryParse(Environment.GetEnvironmentVariable(KillsVariable), out int asked) ? asked : DefaultKills;
        var random = new System.Random(2);
        long step = -1;
        string checkpoint = Path.Combine(_folder, "killed", "checkpoint.safetensors");
        while (kills > 0)
        {
            TrainerProcess.Result? end = Continue(random.NextDouble() * straight);
            if (end != null)
            {
                // It got through before its time was over: once more from the start.
                HaveTheSameOutcome("straight", "killed");
                Directory.Delete(Path.Combine(_folder, "killed"), recursive: true);
                step = -1;
                continue;
            }

            kills--;
            if (!File.Exists(checkpoint))
            {
                step.Should().Be(-1, "a checkpoint that was there stays");
                continue;
            }

            long reached = TrainingState.Load(checkpoint).Step;
            reached.Should().BeGreaterThanOrEqualTo(step);
            step = reached;
        }

        Continue(Timeout.InfiniteTimeSpan).Should().NotBeNull();
        HaveTheSameOutcome("straight", "killed");
        Directory.GetFiles(Path.Combine(_folder, "killed"), "*.tmp").Should().BeEmpty("what killed writers left is cleared");

        TrainerProcess.Result? Continue(TimeSpan time)
        {
            string[] start = File.Exists(checkpoint) ? ["train", "--resume"] : Training;
            TrainerProcess.Result? end = TrainerProcess.RunOrKill(_folder, time, [.. start, "--output", "killed", "--checkpoint-every", "1"]);
            end?.Code.Should().Be(0, end.Error);
            return end;
        }
    }

    /// <summary>Files may become no larger than a checkpoint is, as where a quota or a disk is spent.</summary>
    [Fact]
    public void Resume_WhereACheckpointDoesNotFit_KeepsTheOldOneAndGoesOnFromItLater()
    {
        if (!OperatingSystem.IsLinux())
            return;

        Succeeds([.. Training, "--output", "straight"]);
        Succeeds([.. Training, "--output", "full", "--stop-after-steps", "33"]);
        byte[] before = File.ReadAllBytes(Path.Combine(_folder, "full", "checkpoint.safetensors"));
        before.Length.Should().BeGreaterThan(100 << 10);

        // The runtime writes a large file of its own unless told not to.
        const string Script = "trap '' XFSZ; ulimit -f 100; export DOTNET_EnableWriteXorExecute=0; exec \"$@\"";
        TrainerProcess.Result result = TrainerProcess.RunInShell(_folder, Script, "train", "--resume", "--output", "full", "--checkpoint-every", "1");
        FailsToWrite(result, "checkpoint.safetensors");
        File.ReadAllBytes(Path.Combine(_folder, "full", "checkpoint.safetensors")).Should().Equal(before);
        Directory.GetFiles(Path.Combine(_folder, "full"), "*.tmp").Should().BeEmpty();
        Succeeds(["train", "--resume", "--output", "full"]);
        HaveTheSameOutcome("straight", "full");
    }

    /// <summary>A disk, in memory, that has room for one checkpoint and not for a second beside it. Where the system lets nobody mount one, there is nothing to see.</summary>
    [Fact]
    public void Train_OnAFullDisk_KeepsTheCheckpointThatFitted()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "disk"));
        if (!OperatingSystem.IsLinux() || TrainerProcess.RunInShell(_folder, "unshare -rm mount -t tmpfs tmpfs disk").Code != 0)
            return;

        const string Script = "exec unshare -rm bash -c 'mount -t tmpfs -o size=400k tmpfs disk && \"$@\"; code=$?; cp -r disk/run kept; exit $code' bash \"$@\"";
        TrainerProcess.Result result = TrainerProcess.RunInShell(_folder, Script, [.. Training, "--output", "disk/run", "--checkpoint-every", "1"]);
        FailsToWrite(result, "checkpoint.safetensors");
        TrainingState.Load(Path.Combine(_folder, "kept", "checkpoint.safetensors")).Step.Should().BeGreaterThanOrEqualTo(0);
        Directory.GetFiles(Path.Combine(_folder, "kept"), "*.tmp").Should().BeEmpty();
        Succeeds([.. Training, "--output", "straight"]);
        Succeeds(["train", "--resume", "--output", "kept", "--data", "data"]);
        HaveTheSameOutcome("straight", "kept");
    }

    [Fact]
    public void Train_WhereNothingCanBeWritten_IsOneLineAndExitCode1()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        Fails("file", [.. Training, "--output", "file"]);
        Fails("file", [.. Training, "--output", "file/run"]);
        if (OperatingSystem.IsLinux())
            Fails("/sys/kernel", [.. Training, "--output", "/sys/kernel/run"]);
    }

    private static void FailsToWrite(TrainerProcess.Result result, string name)
    {
        result.Code.Should().Be(1, result.Error);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(name).And.Contain("cannot be written, and is as it was");
    }

    private TrainerProcess.Result Succeeds(string[] arguments)
    {
        TrainerProcess.Result result = TrainerProcess.Run(_folder, arguments);
        result.Code.Should().Be(0, result.Error);
        return result;
    }

    private void Fails(string named, params string[] arguments)
    {
        TrainerProcess.Result result = TrainerProcess.Run(_folder, arguments);
        result.Code.Should().Be(1);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }

    private void HaveTheSameOutcome(string expected, string actual)
    {
        foreach (string name in Outcome)
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(_folder, actual, name));
            bytes.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(_folder, expected, name))).Should().BeTrue("{0} should have the same bytes", name);
        }

        Summary(actual).GetProperty("testLoss").GetDouble().Should().Be(Summary(expected).GetProperty("testLoss").GetDouble());
    }

    private bool IsFinished(string run) =>
        File.Exists(Path.Combine(_folder, run, "summary.json")) && Summary(run).GetProperty("finished").GetBoolean();

    private JsonElement Summary(string run) => JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, run, "summary.json"))).RootElement;

    private Dictionary<string, DateTime> Times(string run) =>
        Directory.GetFiles(Path.Combine(_folder, run)).ToDictionary(file => file, File.GetLastWriteTimeUtc);
}
