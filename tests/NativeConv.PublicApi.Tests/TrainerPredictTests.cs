using System.Buffers.Binary;
using System.Text.Json;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer reading files of pictures.</summary>
public sealed class TrainerPredictTests(TrainedDigits digits) : IClassFixture<TrainedDigits>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("predict-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Predict_PicturesOfDigits_ReadsThemWhateverTheirSizeAndColours()
    {
        List<string> files = [];
        for (int digit = 0; digit < 10; digit++)
        {
            (byte[] pixels, ImageShape shape) = PictureFile.OnPaper(digits.Digits[digit]);
            files.AddRange([$"{digit}.png", $"{digit}.jpg", $"{digit}-clear.png"]);
            PictureFile.WritePng(InFolder($"{digit}.png"), pixels, shape);
            PictureFile.WriteJpeg(InFolder($"{digit}.jpg"), pixels, shape);

            // Black ink, as opaque as the paper is dark, on nothing: the colour of what is clear must not matter.
            byte[] clear = [.. pixels.SelectMany(level => (byte[])[0, 0, (byte)(level == 240 ? 200 : 0), (byte)(240 - level)])];
            PictureFile.WritePng(InFolder($"{digit}-clear.png"), clear, shape with { Channels = 4 });
        }

        JsonElement[] rows = Json([.. files]);
        rows.Select(row => row.GetProperty("file").GetString()).Should().Equal(files);
        rows.Select(row => row.GetProperty("class").GetString()).Should().Equal(files.Select(file => file[..1]));
        for (int i = 0; i < rows.Length; i++)
        {
            // What a model makes of the digit itself.
            float[] expected = new float[10];
            digits.Model.PredictProbabilities(digits.Digits[i / 3], expected);
            JsonElement byClass = rows[i].GetProperty("probabilities");
            for (int c = 0; c < 10; c++)
                byClass.GetProperty($"{c}").GetSingle().Should().BeApproximately(expected[c], 0.3f, files[i]);
        }

        TrainerProcess.Result text = Run("predict", "3.png", "--from", digits.ModelFile);
        text.Code.Should().Be(0, text.Error);
        text.Output.Should().StartWith("3.png:").And.Contain("Read as 3.").And.Contain("@").And.Contain("%");
    }

    /// <summary>A digit beside the middle: plainly, it is read from where it stands.</summary>
    [Fact]
    public void Predict_Plain_OnlyBringsThePictureToTheModelsSize()
    {
        byte[] image = [.. digits.Digits[4].Select(level => (byte)level)];
        PictureFile.WritePng(InFolder("digit.png"), image, new(28, 28, 1));
        byte[] inverted = [.. image.Select(level => (byte)(255 - level))];
        PictureFile.WritePng(InFolder("inverted.png"), inverted, new(28, 28, 1));
        JsonElement[] rows = Json("digit.png", "inverted.png", "--plain");
        Agree(rows[0], [.. image.Select(level => (float)level)]);
        Agree(rows[1], [.. inverted.Select(level => (float)level)]);

        void Agree(JsonElement row, float[] pixels)
        {
            float[] expected = new float[10];
            digits.Model.PredictProbabilities(pixels, expected);
            row.GetProperty("probabilities").EnumerateObject().Select(probability => probability.Value.GetSingle()).Should().Equal(expected);
        }
    }

    [Fact]
    public void Predict_WhatIsNoPicture_IsOneLineAndExitCode1()
    {
        (byte[] pixels, ImageShape shape) = PictureFile.OnPaper(digits.Digits[5]);
        PictureFile.WritePng(InFolder("good.png"), pixels, shape);
        PictureFile.WriteJpeg(InFolder("good.jpg"), pixels, shape);
        Fails("none.png", "none.png");
        File.WriteAllText(InFolder("text.png"), "not a picture");
        Fails("text.png, byte 0: the file is no PNG, JPEG, BMP, GIF or TGA picture", "text.png");
        Fails("is no", digits.ModelFile);
        Cut("good.png", "cut.png");
        Fails("cut.png", "cut.png");
        Cut("good.jpg", "cut.jpg");
        Fails("ends before the JPEG's end marker", "good.png", "cut.jpg");
        byte[] huge = File.ReadAllBytes(InFolder("good.png"));
        BinaryPrimitives.WriteInt32BigEndian(huge.AsSpan(16), 30_000);
        BinaryPrimitives.WriteInt32BigEndian(huge.AsSpan(20), 20_000);
        File.WriteAllBytes(InFolder("huge.png"), huge);
        Fails("huge.png: a picture has 1 to 67108864 pixels, but this one is 20000x30000", "huge.png");
        PictureFile.WritePng(InFolder("blank.png"), [.. Enumerable.Repeat((byte)250, 400)], new(20, 20, 1));
        Fails("blank.png: the picture is blank", "good.png", "blank.png");
        File.WriteAllBytes(InFolder("empty.png"), []);
        Fails("empty.png", "empty.png");

        void Cut(string from, string to)
        {
            byte[] file = File.ReadAllBytes(InFolder(from));
            File.WriteAllBytes(InFolder(to), file[..(file.Length / 2)]);
        }

        void Fails(string named, params string[] files)
        {
            TrainerProcess.Result result = Run(["predict", .. files, "--json", "--from", digits.ModelFile]);
            result.Code.Should().Be(1, named);
            result.Output.Should().BeEmpty();
            result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
        }
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private JsonElement[] Json(params string[] arguments)
    {
        TrainerProcess.Result result = Run(["predict", .. arguments, "--json", "--from", digits.ModelFile]);
        result.Code.Should().Be(0, result.Error);
        return [.. JsonDocument.Parse(result.Output).RootElement.EnumerateArray()];
    }

    private TrainerProcess.Result Run(params string[] arguments) => TrainerProcess.Run(_folder, arguments);
}
