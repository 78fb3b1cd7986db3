using FluentAssertions;
using MnistTrainer;
using Xunit;

namespace NativeConv.PublicApi.Tests.Onnx;

public sealed class OnnxRoundTripTests
{
    private const int RandomGraphs = 200;

    public static TheoryData<string> Samples => [.. SampleModels.Names];

    public static TheoryData<string> TrainersRecipes => [.. Recipes.Names];

    [Theory]
    [MemberData(nameof(Samples))]
    public void LoadOnnx_WhatSaveOnnxWrote_PredictsTheSameBits(string name)
    {
        Model model = SampleModels.Build(name);
        var loaded = Model.LoadOnnx(Save(model));
        float[] images = OnnxData.Images(model, 3, seed: 4);
        OnnxData.Predict(loaded, images).Should().Equal(OnnxData.Predict(model, images));
        loaded.InputShape.Should().Be(model.InputShape);
        loaded.OutputShape.Should().Be(model.OutputShape);
        loaded.ClassNames.Should().Equal(model.ClassNames);
    }

    [Fact]
    public void LoadOnnx_RandomGraphs_PredictTheSame()
    {
        for (int seed = 0; seed < RandomGraphs; seed++)
        {
            Model model = SampleModels.Random(seed);
            float[] images = OnnxData.Images(model, 2, seed);
            OnnxData.ShouldAgree(OnnxData.Predict(Model.LoadOnnx(Save(model)), images), OnnxData.Predict(model, images), $"of seed {seed} ");
        }
    }

    [Theory]
    [MemberData(nameof(TrainersRecipes))]
    public void LoadOnnx_TrainersRecipes_KeepTheirParameters(string name)
    {
        Model model = Recipes.Get(name).Build(5);
        var loaded = Model.LoadOnnx(Save(model));
        loaded.Parameters.Select(parameter => parameter.Name).Should().Equal(model.Parameters.Select(parameter => parameter.Name));
        foreach ((Parameter actual, Parameter expected) in loaded.Parameters.Zip(model.Parameters))
            actual.Value.Span.SequenceEqual(expected.Value.Span).Should().BeTrue(expected.Name);

        loaded.Nodes.Select(node => node.Layer).OfType<BatchNormalization>().Select(layer => (layer.Momentum, layer.Epsilon)).Should().BeSubsetOf([(0.1f, 1e-5f)]);
        float[] images = OnnxData.Images(model, 2, seed: 1);
        OnnxData.ShouldAgree(OnnxData.Predict(loaded, images), OnnxData.Predict(model, images));
    }

    [Fact]
    public void Samples_BetweenThem_HaveEveryLayer()
    {
        IEnumerable<Type> layers = typeof(Layer).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract);
        SampleModels.Names.SelectMany(name => SampleModels.Build(name).Nodes).Select(node => node.Layer.GetType()).Distinct().Should().BeEquivalentTo(layers);
    }

    [Fact]
    public void SaveOnnx_OneModelTwice_WritesTheSameBytes()
    {
        byte[] first = Save(SampleModels.Build("separable_normalized")), second = Save(SampleModels.Build("separable_normalized"));
        second.Should().Equal(first);
        first.Should().StartWith([.. OnnxBytes.Whole(1, 8), .. OnnxBytes.Text(2, "NativeConv"), .. OnnxBytes.Message(8, OnnxBytes.Text(1, ""), OnnxBytes.Whole(2, 17))]);
        string path = Path.GetTempFileName();
        try
        {
            SampleModels.Build("separable_normalized").SaveOnnx(path);
            File.ReadAllBytes(path).Should().Equal(first);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SaveOnnx_LayerOfOnesOwn_IsRefusedByNameAndLeavesTheFile()
    {
        Model model = new ModelBuilder(2, 2, 3).Layer(new ChannelScale(), "mine").Build();
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "old");
            Action save = () => model.SaveOnnx(path);
            save.Should().Throw<ArgumentException>().WithMessage("*node 'mine' is of kind 'channel_scale'*").WithParameterName("model");
            File.ReadAllText(path).Should().Be("old");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SaveOnnx_NamesThatMeet_StayApart()
    {
        // A node with the name of another's parameter, and one that is called as the output is.
        Model model = new ModelBuilder(3, 3, 2).Conv2D(2, 3, name: "a").Conv2D(2, 3, name: "a.kernel").Conv2D(2, 1, name: "output").Conv2D(3, 1, name: "a.bias").Build(1);
        float[] images = OnnxData.Images(model, 1, seed: 1);
        OnnxData.Predict(Model.LoadOnnx(Save(model)), images).Should().Equal(OnnxData.Predict(model, images));
    }

    private static byte[] Save(Model model)
    {
        using var stream = new MemoryStream();
        model.SaveOnnx(stream);
        return stream.ToArray();
    }
}
