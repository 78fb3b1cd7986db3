using FluentAssertions;
using NativeConv.Operators;
using NativeConv.Tensors;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Operators;

public sealed class LentMemoryTests
{
    [Fact]
    public void Take_AReturnedBlock_IsZeroAsFarAsItWasAskedFor()
    {
        var memory = new LentMemory();
        AlignedMemory block = memory.Take(100);
        block.Span.Fill(7);
        memory.Return(block);
        AlignedMemory again = memory.Take(60);
        again.Should().BeSameAs(block);
        again.Span[..60].ToArray().Should().OnlyContain(value => value == 0);
    }

    [Fact]
    public void Take_MoreThanIsThere_IsANewBlock()
    {
        var memory = new LentMemory();
        AlignedMemory small = memory.Take(100);
        memory.Return(small);
        memory.Take(101).Should().NotBeSameAs(small);
        memory.Take(100).Should().BeSameAs(small);
    }

    /// <summary>So that what a call overruns is a guard, not the slack of an earlier call's block.</summary>
    [Fact]
    public void Take_BetweenGuards_LendsAndKeepsNothing()
    {
        var memory = new LentMemory();
        AlignedMemory block = memory.Take(100), guarded;
        memory.Return(block);
        using (var guards = new GuardedBlocks(Guard.After))
        {
            guarded = memory.Take(100);
            guarded.Should().NotBeSameAs(block);
            guards.Count.Should().Be(1);
            memory.Return(guarded);
        }

        memory.Take(100).Should().BeSameAs(block);
        memory.Take(100).Should().NotBeSameAs(guarded);
    }

    [Fact]
    public void Take_Nothing_TakesNoMemory()
    {
        var memory = new LentMemory();
        AlignedMemory nothing = memory.Take(0);
        nothing.Length.Should().Be(0);
        memory.Return(nothing);
        memory.Take(0).Should().BeSameAs(nothing);
        memory.Take(1).Length.Should().Be(1);
    }

    [Fact]
    public void Return_AVeryLargeBlock_IsNotKept()
    {
        var memory = new LentMemory();
        AlignedMemory large = memory.Take((512 * 1024) + 1);
        memory.Return(large);
        memory.Take(10).Should().NotBeSameAs(large);
    }

    [Fact]
    public void Take_SmallThenLarge_LeavesTheLargeBlockToTheLargeRequest()
    {
        var memory = new LentMemory();
        AlignedMemory large = memory.Take(1000), small = memory.Take(100);
        memory.Return(large);
        memory.Return(small);
        memory.Take(0).Length.Should().Be(0);
        memory.Take(90).Should().BeSameAs(small);
        memory.Take(900).Should().BeSameAs(large);
    }

    [Fact]
    public void Take_ByManyThreads_LendsABlockToOneAtATime()
    {
        var memory = new LentMemory();
        Parallel.For(0, 8, worker =>
        {
            for (int i = 0; i < 2_000; i++)
            {
                AlignedMemory block = memory.Take(16 + worker);
                block.Span[..16].ToArray().Should().OnlyContain(value => value == 0);
                block.Span.Fill(worker + 1);
                block.Span[..16].ToArray().Should().OnlyContain(value => value == worker + 1);
                memory.Return(block);
            }
        });
    }

    /// <summary>Memory that other shapes have left behind shows in no result.</summary>
    [Fact]
    public void Operators_WithTheSameOptions_GiveTheSameBitsAgain()
    {
        ConvolutionCase[] cases = [new(5, new(9, 8, 3, 1, 1, Padding.Same), 17, 19, 1), new(4, new(7, 7, 1, 1, 1, Padding.Valid), 33, 3, 1), new(6, new(9, 9, 3, 2, 2, Padding.Same), 1, 20, 1)];
        var execution = new ExecutionOptions { ThreadCount = 2 };
        float[]?[] first = new float[]?[cases.Length];
        foreach (int i in (int[])[0, 1, 2, 1, 0, 2, 0])
        {
            ConvolutionCase c = cases[i];
            float[] x = TestData.Uniform(c.InputLength, 1), w = TestData.Uniform(c.WeightsLength, 2), dy = TestData.Uniform(c.OutputLength, 3);
            float[] y = new float[c.OutputLength], dx = new float[c.InputLength], dw = new float[c.WeightsLength];
            Convolution.Forward(c.Geometry, c.InputChannels, c.OutputChannels, x, w, default, y, 1, execution);
            Convolution.BackwardInput(c.Geometry, c.InputChannels, c.OutputChannels, dy, w, dx, 1, execution);
            Convolution.BackwardWeights(c.Geometry, c.InputChannels, c.OutputChannels, x, dy, dw, 1, execution);
            float[] all = [.. y, .. dx, .. dw];
            all.AsSpan().SequenceEqual(first[i] ??= all).Should().BeTrue("case {0} should have the bits of the first time", i);
        }
    }
}
