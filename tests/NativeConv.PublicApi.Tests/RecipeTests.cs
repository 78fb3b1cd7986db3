using FluentAssertions;
using MnistTrainer;
using Xunit;

namespace NativeConv.PublicApi.Tests;

public class RecipeTests
{
    [Theory]
    [InlineData("best", 100_000)]
    [InlineData("tiny", 8_000)]
    public void Network_OfATunedRecipe_StaysWithinItsParameters(string name, int most) =>
        Recipes.Get(name).Build(1).TrainableParameterCount.Should().BeLessThanOrEqualTo(most);

    [Fact]
    public void With_WhatTheUserSet_LeavesTheRest()
    {
        Recipe tiny = Recipes.Get("tiny");
        tiny.With(null, null, null, null).Should().Be(tiny);
        tiny.With(3, 7, 0.5f, false).Should().Be(tiny with { Epochs = 3, BatchSize = 7, LearningRate = 0.5f, Augmentation = null });
        tiny.With(null, null, null, true).Augmentation.Should().Be(tiny.Augmentation);
        Recipe plain = Recipes.Get("keras");
        plain.Augmentation.Should().BeNull();
        plain.With(null, null, null, true).Augmentation.Should().Be(Recipes.Augmentation);
        ((Adam)tiny.With(null, null, 0.5f, null).Optimizer).LearningRate.Should().Be(0.5f);
    }
}
