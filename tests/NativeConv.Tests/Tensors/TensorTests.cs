using FluentAssertions;
using NativeConv.Tensors;
using Xunit;

namespace NativeConv.Tests.Tensors;

public sealed unsafe class TensorTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(1000)]
    public void Constructor_AnyLength_IsZeroedAndAligned(int length)
    {
        // Several, so that one lucky address proves nothing.
        foreach (Tensor tensor in Enumerable.Range(0, 8).Select(_ => new Tensor(length)).ToArray())
        {
            tensor.Length.Should().Be(length);
            tensor.Span.ToArray().Should().Equal(new float[length]);
            ((nint)tensor.Pointer % 64).Should().Be(0);
        }
    }

    [Fact]
    public void Pointer_AfterACompactingCollection_StillReadsTheSpan()
    {
        Tensor tensor = Tensor.From([1, 2, 3], 3);
        float* before = tensor.Pointer;
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        (tensor.Pointer == before).Should().BeTrue();
        tensor.Pointer[2].Should().Be(3);
        tensor.Pointer[1] = 5;
        tensor.Span.ToArray().Should().Equal(1, 5, 3);
    }

    [Fact]
    public void From_Values_CopiesThem()
    {
        float[] values = [1, 2, 3, 4, 5, 6];
        Tensor tensor = Tensor.From(values, 2, 3);
        values[0] = 9;
        tensor.Shape.Should().Be(new TensorShape(2, 3));
        tensor.Memory.ToArray().Should().Equal(1, 2, 3, 4, 5, 6);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(7)]
    public void From_WrongNumberOfValues_Throws(int count) =>
        FluentActions.Invoking(() => Tensor.From(new float[count], 2, 3))
            .Should().Throw<ArgumentException>().WithMessage($"*[2, 3]*6*{count}*").WithParameterName("values");

    [Fact]
    public void AsTensorSpan_Indices_AreRowMajorAndShared()
    {
        Tensor tensor = Tensor.From([0, 1, 2, 3, 4, 5], 2, 3);
        tensor.AsTensorSpan()[1, 0].Should().Be(3);
        tensor.AsTensorSpan()[1, 2] = 7;
        tensor.AsReadOnlyTensorSpan()[1, 2].Should().Be(7);
        tensor.Span[5].Should().Be(7);
    }

    [Fact]
    public void View_OfABlock_SharesItsPart()
    {
        var block = new AlignedMemory(32);
        var view = new Tensor(new TensorShape(4), block, 16);
        view.Span.Fill(3);
        block.Span.ToArray().Should().Equal([.. new float[16], 3, 3, 3, 3, .. new float[12]]);
        (view.Pointer == block.Pointer + 16).Should().BeTrue();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(3_000_000_000, 3_000_000_000)]
    public void RoundUp_Length_ReachesTheNextBoundary(long length, long expected) => AlignedMemory.RoundUp(length).Should().Be(expected);

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void AlignedMemory_ImpossibleLength_Throws(long length) =>
        FluentActions.Invoking(() => new AlignedMemory(length)).Should().Throw<ArgumentOutOfRangeException>();
}
