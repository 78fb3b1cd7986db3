using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FluentAssertions;
using NativeConv.Serialization;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

/// <summary>The logs of a training: a table of its epochs, and TensorBoard's event file, read back by a reader of the test's own.</summary>
public sealed class TrainingLogTests : IDisposable
{
    private static readonly Dataset Digits = DrawnDigits.Create(25, seed: 1);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>RFC 3720, appendix B.4, and the catalogue's check value.</summary>
    public static TheoryData<byte[], uint> PublishedCrcs => new()
    {
        { new byte[32], 0x8A9136AA },
        { [.. Enumerable.Repeat((byte)0xFF, 32)], 0x62A8AB43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46DD794E },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113FDB5C },
        { "123456789"u8.ToArray(), 0xE3069283 },
        { [], 0 },
    };

    [Theory]
    [MemberData(nameof(PublishedCrcs))]
    public void Crc32C_PublishedVectors_AreMet(byte[] data, uint expected) => RecordWriter.Crc32C(data).Should().Be(expected);

    [Fact]
    public void Record_OfAFileVersion_HasTensorFlowsBytes()
    {
        // The first record of an event file: TensorFlow's own starts with 18 00 00 00 00 00 00 00 A3 7F 4B 22, the length 24 and its masked CRC.
        using var stream = new MemoryStream();
        new RecordWriter(stream).Write(EventMessage.FileVersion(1.5));
        byte[] record = stream.ToArray();
        record[..12].Should().Equal(0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22);
        byte[] message = [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x1A, 0x0D, .. "brain.Event:2"u8];
        record[12..36].Should().Equal(message);
    }

    [Fact]
    public void TensorBoardLog_OfATraining_ReadsBackWithEveryFigure()
    {
        var rates = new List<float>();
        Model model = Network();
        History history = model.Fit(Digits, Digits, new()
        {
            Epochs = 2, BatchSize = 10, Optimizer = new Sgd(0.01f), Schedule = LearningRateSchedule.Cosine(),
            Callbacks = [new TensorBoardLog(Path.Combine(_folder.Path, "log"), everySteps: 2), new Recorder { Step = training => rates.Add(training.LearningRate) }],
        });
        string file = Directory.GetFiles(Path.Combine(_folder.Path, "log")).Should().ContainSingle().Which;
        Path.GetFileName(file).Should().StartWith("events.out.tfevents.");
        List<Event> events = ReadEvents(file);
        events[0].Version.Should().Be("brain.Event:2");
        events[1].Should().Match<Event>(e => e.IsStart && e.Step == 1);
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        events.Should().OnlyContain(e => e.WallTime > now - 600 && e.WallTime <= now);
        Series("learning_rate").Should().Equal((2, rates[1]), (4, rates[3]), (6, rates[5]));
        Series("loss/step").Select(point => point.Step).Should().Equal(2, 4, 6);
        Series("loss/train").Should().Equal((3, (float)history.Epochs[0].Loss), (6, (float)history.Epochs[1].Loss));
        Series("accuracy/train").Should().Equal((3, (float)history.Epochs[0].Accuracy), (6, (float)history.Epochs[1].Accuracy));
        Series("loss/validation").Should().Equal((3, (float)history.Epochs[0].Validation!.Loss), (6, (float)history.Epochs[1].Validation!.Loss));
        Series("accuracy/validation").Should().HaveCount(2);
        Series("images_per_second").Should().OnlyContain(point => point.Value > 0);

        (long Step, float Value)[] Series(string tag) => [.. events.SelectMany(e => e.Scalars.Where(scalar => scalar.Tag == tag).Select(scalar => (e.Step, scalar.Value)))];
    }

    [Fact]
    public void TensorBoardLog_OfAResumedTraining_VoidsWhatTheInterruptedOneWroteLater()
    {
        TrainingState? state = null;
        void Fit(int epochs, TrainingState? resume) => Network().Fit(Digits, options: new()
        {
            Epochs = epochs, BatchSize = 10, Resume = resume,
            Callbacks = [new TensorBoardLog(_folder.Path), new Recorder { ResumePoint = training => state = training.Step == 4 ? training.Capture() : state }],
        });
        Fit(2, null);
        Fit(2, state);
        string[] files = [.. Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal)];
        files.Should().HaveCount(2);
        ReadEvents(files[0])[^1].Step.Should().Be(6);
        List<Event> resumed = ReadEvents(files[1]);
        resumed.Single(e => e.IsStart).Step.Should().Be(5, "TensorBoard drops what other files hold from there on");
        resumed.Where(e => e.Scalars.Count > 0).Min(e => e.Step).Should().Be(5);
    }

    [Fact]
    public void TensorBoardLog_OfATrainingThatFails_IsWholeAndClosed()
    {
        Action fit = () => Network().Fit(Digits, options: new()
        {
            BatchSize = 10, Callbacks = [new TensorBoardLog(_folder.Path), new Recorder { Step = training => throw new InvalidOperationException("enough") }],
        });
        fit.Should().Throw<InvalidOperationException>();
        string file = Directory.GetFiles(_folder.Path).Should().ContainSingle().Which;
        ReadEvents(file).Should().HaveCount(3);
        File.Delete(file);
    }

    [Fact]
    public void CsvLog_OfATraining_HoldsEveryEpochInFull()
    {
        History history = Network().Fit(Digits, Digits, new() { Epochs = 2, BatchSize = 10, Callbacks = [new CsvLog(_folder.File("log.csv"))] });
        string[] lines = File.ReadAllLines(_folder.File("log.csv"));
        lines[0].Should().Be("epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate");
        lines[1..].Should().Equal(history.Epochs.Select(e => string.Create(
            CultureInfo.InvariantCulture, $"{e.Epoch},{e.Loss:R},{e.Accuracy:R},{e.Validation!.Loss:R},{e.Validation.Accuracy:R},{e.LearningRate:R}")));
        Network().Fit(Digits, null, new() { BatchSize = 10, Callbacks = [new CsvLog(_folder.File("log.csv"))] });
        File.ReadAllLines(_folder.File("log.csv")).Should().HaveCount(2).And.Subject.Last().Should().MatchRegex("^1,[0-9.]+,[0-9.]+,,,0.001$");
    }

    private static Model Network() => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255).AveragePool2D(4).Flatten().Dense(10).Build(seed: 1);

    private static List<Event> ReadEvents(string path)
    {
        var events = new List<Event>();
        for (ReadOnlySpan<byte> rest = File.ReadAllBytes(path); !rest.IsEmpty;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]).Should().Be(MaskedCrc(rest[..8]));
            BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]).Should().Be(MaskedCrc(rest.Slice(12, length)));
            events.Add(ReadEvent(rest.Slice(12, length)));
            rest = rest[(16 + length)..];
        }

        return events;
    }

    /// <summary>Bit by bit over the reversed polynomial.</summary>
    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8);
    }

    private static Event ReadEvent(ReadOnlySpan<byte> message)
    {
        var result = new Event();
        foreach ((int field, byte[] value) in Fields(message))
        {
            switch (field)
            {
                case 1:
                    result.WallTime = BinaryPrimitives.ReadDoubleLittleEndian(value);
                    break;
                case 2:
                    result.Step = BinaryPrimitives.ReadInt64LittleEndian(value);
                    break;
                case 3:
                    result.Version = Encoding.UTF8.GetString(value);
                    break;
                case 5:
                    foreach ((int _, byte[] scalar) in Fields(value))
                    {
                        Dictionary<int, byte[]> parts = Fields(scalar).ToDictionary(part => part.Field, part => part.Value);
                        result.Scalars.Add((Encoding.UTF8.GetString(parts[1]), BinaryPrimitives.ReadSingleLittleEndian(parts[2])));
                    }

                    break;
                case 7:
                    result.IsStart = Fields(value) is [(1, [1, 0, 0, 0, 0, 0, 0, 0])];
                    break;
                default:
                    throw new InvalidDataException($"Field {field} is unknown.");
            }
        }

        return result;
    }

    /// <summary>A message's fields; whole numbers as 8 bytes.</summary>
    private static List<(int Field, byte[] Value)> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new List<(int, byte[])>();
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            int length = (key & 7) switch { 0 => 0, 1 => 8, 2 => (int)Varint(message, ref at), 5 => 4, var type => throw new InvalidDataException($"wire type {type}") };
            byte[] value = (key & 7) == 0 ? BitConverter.GetBytes(Varint(message, ref at)) : message.Slice(at, length).ToArray();
            fields.Add(((int)(key >> 3), value));
            at += length;
        }

        return fields;
    }

    private static ulong Varint(ReadOnlySpan<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }
    }

    private sealed class Event
    {
        public double WallTime { get; set; }

        public long Step { get; set; }

        public string? Version { get; set; }

        public bool IsStart { get; set; }

        public List<(string Tag, float Value)> Scalars { get; } = [];
    }
}
