using System.Text;
using FluentAssertions;
using NativeConv.Serialization;
using NativeConv.Tests.Support;
using NativeConv.Training;
using Xunit;

namespace NativeConv.Tests.Serialization;

public sealed class TrainingStateFileTests : IDisposable
{
    private const int Epochs = 3;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SavedState_IsTheSameToTheByte()
    {
        TrainingState state = Captured();
        state.Save(_folder.File("a"));
        var loaded = TrainingState.Load(_folder.File("a"));
        loaded.Step.Should().Be(state.Step);
        loaded.Reason.Should().Be(state.Reason);
        loaded.Settings.Should().Equal(state.Settings);
        loaded.Properties.Should().BeEquivalentTo(new Dictionary<string, string> { ["note"] = "ü\"\\" });
        loaded.Epochs.Select(epoch => epoch with { Validation = null, TrainSeconds = 0, ImagesPerSecond = 0 })
            .Should().Equal(state.Epochs.Select(epoch => epoch with { Validation = null, TrainSeconds = 0, ImagesPerSecond = 0 }));
        loaded.Epochs[0].Validation!.ToString().Should().Be(state.Epochs[0].Validation!.ToString());
        loaded.Epochs[0].Validation!.ClassNames.Should().Equal(state.Epochs[0].Validation!.ClassNames);
        loaded.Save(_folder.File("b"));
        File.ReadAllBytes(_folder.File("b")).Should().Equal(File.ReadAllBytes(_folder.File("a")));
    }

    [Fact]
    public void Save_NumbersThatJsonLacks_ComeBack()
    {
        TrainingState state = Captured();
        var figures = new EpochResult(1, double.NaN, 0.1, 1e-30f, 0, 0, new(double.PositiveInfinity, new long[,] { { 1, 2 }, { 3, 4 } }, ["a", "b"]));
        TrainingPosition position = state.Position with { Step = state.Position.StepsPerEpoch, LossSum = -0.0 };
        new TrainingState(position, [figures], state.Settings, state.Properties, state.Callbacks, ["a", "b"], state.Tensors).Save(_folder.File("a"));
        var loaded = TrainingState.Load(_folder.File("a"));
        loaded.FrozenLayers.Should().Equal("a", "b");
        loaded.Epochs[0].Loss.Should().Be(double.NaN);
        loaded.Epochs[0].LearningRate.Should().Be(1e-30f);
        loaded.Epochs[0].Validation!.Loss.Should().Be(double.PositiveInfinity);
        loaded.Epochs[0].Validation!.Confusion(1, 0).Should().Be(3);
        BitConverter.DoubleToInt64Bits(loaded.Position.LossSum).Should().Be(BitConverter.DoubleToInt64Bits(-0.0));
    }

    [Fact]
    public void Load_OtherFiles_SaysThatTheyAreNoCheckpoints()
    {
        Network(1).Save(_folder.File("model"));
        Refused("model", "*must have 'nativeconv.version', 'nativeconv.training'*");
        File.WriteAllText(_folder.File("text"), "no file of the kind");
        Refused("text", "*byte 0*");
        Captured().Save(_folder.File("state"));
        byte[] file = File.ReadAllBytes(_folder.File("state"));
        file[^1] ^= 1;
        File.WriteAllBytes(_folder.File("bit"), file);
        Refused("bit", "*SHA-256*");
        File.WriteAllBytes(_folder.File("short"), file[..^1]);
        Refused("short", "*bytes of values*");
        string text = Encoding.Latin1.GetString(file), newer = text.Replace("nativeconv.version\":\"1\"", "nativeconv.version\":\"2\"", StringComparison.Ordinal);
        File.WriteAllText(_folder.File("newer"), newer, Encoding.Latin1);
        Refused("newer", "*must be 1, but is '2'*");
        Action missing = () => TrainingState.Load(_folder.File("missing"));
        missing.Should().Throw<FileNotFoundException>();

        void Refused(string name, string message)
        {
            Action load = () => TrainingState.Load(_folder.File(name));
            load.Should().Throw<InvalidDataException>().WithMessage(message).And.Message.Should().StartWith(_folder.File(name) + ", byte ");
        }
    }

    [Theory]
    [InlineData("\"step\":4", "\"step\":14", "do not agree with 14 steps")]
    [InlineData("\"step\":4", "\"step\":-1", "do not agree")]
    [InlineData("\"steps_per_epoch\":3", "\"steps_per_epoch\":0", "at least one step")]
    [InlineData("\"reason\":\"\"", "\"reason\":\"Finished\"", "do not agree")]
    [InlineData("\"reason\":\"\"", "\"reason\":\"bored\"", "'bored' is unknown")]
    [InlineData("\"correct\":", "\"correct\":-", "negative")]
    [InlineData("\"learning_rate_scale\":1", "\"learning_rate_scale\":-1", "negative")]
    [InlineData("\"best_epoch\":1", "\"best_epoch\":\"one\"", "'one' came")]
    [InlineData("\"confusion\":[[", "\"confusion\":[[1],[", "rows and columns")]
    [InlineData("\"properties\":{", "\"properties\":{\"a\":1,", "string")]
    [InlineData("\"properties\":{", "\"properties\":{\"note\":\"\",", "cannot be read")]
    [InlineData("\"settings\":", "\"set\":", "cannot be read")]
    [InlineData("early_stopping", "late_stopping", "belongs to no callback")]
    public void Load_ContradictionsUnderARightHash_SaysWhatIsWrong(string from, string to, string message)
    {
        Captured().Save(_folder.File("state"));
        (string json, List<StateTensor> tensors) = Parts("state");
        json.Should().Contain(from);
        Write("state", json.Replace(from, to, StringComparison.Ordinal), tensors);
        Action load = () => TrainingState.Load(_folder.File("state"));
        load.Should().Throw<InvalidDataException>().WithMessage($"{_folder.File("state")}, byte *{message}*");
    }

    [Fact]
    public void Load_SeededCorruptionsOfTheFile_ThrowsOnlyInvalidData()
    {
        Captured().Save(_folder.File("state"));
        byte[] original = File.ReadAllBytes(_folder.File("state"));
        int header = 8 + (int)BitConverter.ToInt64(original);
        var random = new System.Random(1);
        byte[] alphabet = "{}[]\",:0123456789-abE.e\\"u8.ToArray();
        for (int i = 0; i < 3000; i++)
        {
            byte[] file = [.. original];
            for (int edits = random.Next(1, 4); edits > 0; edits--)
                file[random.Next(random.Next(4) == 0 ? file.Length : header)] = random.Next(3) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];

            if (random.Next(4) == 0)
                file = file[..random.Next(file.Length)];

            File.WriteAllBytes(_folder.File("bad"), file);
            try
            {
                // What it loads in spite of a change elsewhere, as in a key that nothing reads, must be the same.
                TrainingState.Load(_folder.File("bad")).Save(_folder.File("again"));
                File.ReadAllBytes(_folder.File("again")).Should().Equal(original);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Resume_SeededCorruptionsUnderARightHash_ThrowsOnlyInvalidDataOrArgument()
    {
        Captured().Save(_folder.File("state"));
        (string original, List<StateTensor> originalTensors) = Parts("state");
        string[] words = ["0", "1", "-1", "2", "3", "1e300", "99999999999", "null", "true", "\"\"", "\"NaN\"", "\"Infinity\"", "{}", "[]", ",", ":", "}", "]", "1.5"];
        var random = new System.Random(2);
        int loaded = 0, resumed = 0;
        for (int i = 0; i < 3000; i++)
        {
            string json = original;
            List<StateTensor> tensors = [.. originalTensors];
            for (int edits = random.Next(1, 3); edits > 0; edits--)
            {
                // A token, as often as not a whole number, becomes another; or a tensor changes its name, shape, value or place.
                if (random.Next(4) > 0)
                {
                    System.Text.RegularExpressions.MatchCollection tokens = Token.Matches(json);
                    System.Text.RegularExpressions.Match token = tokens[random.Next(tokens.Count)];
                    string[] others = [.. words, tokens[random.Next(tokens.Count)].Value];
                    json = json[..token.Index] + others[random.Next(others.Length)] + json[(token.Index + token.Length)..];
                    continue;
                }

                int at = random.Next(tensors.Count), other = random.Next(tensors.Count);
                StateTensor tensor = tensors[at];
                switch (random.Next(5))
                {
                    case 0:
                        tensors.RemoveAt(at);
                        break;
                    case 1:
                        tensors[at] = tensor with { Name = tensor.Name.Replace('/', '.') };
                        break;
                    case 2:
                        tensors[at] = tensor with { Shape = new(1, tensor.Values.Length) };
                        break;
                    case 3:
                        float[] values = tensor.Values.ToArray();
                        values[random.Next(values.Length)] = (random.Next(3) - 1) / 0f;
                        tensors[at] = tensor with { Values = values };
                        break;
                    default:
                        tensors[at] = tensor with { Shape = tensors[other].Shape, Values = tensors[other].Values };
                        break;
                }
            }

            try
            {
                Write("bad", json, tensors);
                var state = TrainingState.Load(_folder.File("bad"));
                loaded++;
                Fit(Network(2), state);
                resumed++;
            }
            catch (Exception e) when (e is InvalidDataException or ArgumentException or NonFiniteException)
            {
            }
        }

        // The corruptions reach every layer.
        loaded.Should().BeInRange(300, 2700);
        resumed.Should().BeInRange(30, loaded - 30);
    }

    private static readonly System.Text.RegularExpressions.Regex Token = new("\"[^\"]*\"|-?[0-9][-+0-9.eE]*|[\\[\\]{},:]");

    private (string Json, List<StateTensor> Tensors) Parts(string name)
    {
        SafetensorsFile file = SafetensorsFile.Read(_folder.File(name));
        return (file.Metadata["nativeconv.training"], [.. file.Entries.Values.Select(entry =>
        {
            var shape = new TensorShape([.. entry.Shape.Select(dimension => (int)dimension)]);
            float[] values = new float[shape.Length];
            file.CopyTo(entry.Name, shape, values);
            return new StateTensor(entry.Name, shape, values);
        })]);
    }

    private void Write(string name, string json, List<StateTensor> tensors)
    {
        using FileStream stream = File.Create(_folder.File(name));
        SafetensorsWriter.Write(
            stream,
            new Dictionary<string, string>
            {
                ["nativeconv.version"] = "1", ["nativeconv.training"] = json, ["nativeconv.sha256"] = TrainingStateFile.Hash(json, tensors),
            },
            [.. tensors.Select(tensor => (tensor.Name, tensor.Shape, tensor.Values))]);
    }

    /// <summary>A state in the middle of the second epoch.</summary>
    private static TrainingState Captured()
    {
        TrainingState? state = null;
        Fit(Network(1), null, new Recorder
        {
            ResumePoint = training => state = training.Step == 4 ? training.Capture(new Dictionary<string, string> { ["note"] = "ü\"\\" }) : state,
        });
        return state!;
    }

    private static void Fit(Model model, TrainingState? resume, params ITrainingCallback[] callbacks)
    {
        byte[] pixels = [.. Enumerable.Range(0, 60).Select(i => (byte)(i * 37))];
        Dataset data = Dataset.From(pixels, new(2, 2, 1), Enumerable.Range(0, 15).Select(i => i % 2).ToArray(), ["a", "b"]);
        model.Execution = new() { ThreadCount = 1 };
        model.Fit(data, data, new()
        {
            Epochs = Epochs, BatchSize = 6, Optimizer = new Sgd(0.1f, momentum: 0.5f), Averaging = new(0.5),
            Callbacks = [new EarlyStopping(5, restoreBestWeights: true), .. callbacks], Resume = resume,
        });
    }

    private static Model Network(ulong seed) =>
        new ModelBuilder(2, 2, 1).Normalize(scale: 1f / 255).Conv2D(2, 1).BatchNormalization().Flatten().Dense(2).Build(seed);
}
