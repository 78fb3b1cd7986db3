using FluentAssertions;
using NativeConv.Kernels;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>What is asked for changes no bit, so that only the rows named can be seen to be wrong.</summary>
public sealed class FetchAheadTests
{
    public static TheoryData<Conv2DGeometry> Geometries => new()
    {
        { new(40, 12, 3, 1, 1, Padding.Same) },
        { new(41, 12, 3, 1, 2, Padding.Same) },
        { new(40, 12, 5, 1, 3, Padding.Same) },
        { new(41, 12, 3, 2, 1, Padding.Same) },
        { new(40, 12, 5, 2, 1, Padding.Same) },
        { new(40, 12, 7, 3, 1, Padding.Valid) },
        { new(40, 12, 2, 3, 1, Padding.Valid) },
    };

    /// <summary>Of lines in the order in which a pass computes them, each adds what it reads and the line before it does not: forward, and in an input gradient, whose taps go up the image.</summary>
    [Theory]
    [MemberData(nameof(Geometries))]
    public void AddedRows_AreThoseThatTheLineBeforeDoesNotRead(Conv2DGeometry geometry)
    {
        int lines = 0;
        foreach (WindowRun[] rows in (WindowRun[][])[WindowAxis.ForwardRows(geometry), WindowAxis.BackwardRows(geometry)])
        {
            foreach (WindowRun run in DepthwiseShape.ByResidue(rows, geometry).Where(run => run.Taps > 0))
            {
                for (int line = 1; line < run.Count; line++, lines++)
                {
                    (int first, int count) = FetchAhead.AddedRows(run.Slice(line, run.Count));
                    Enumerable.Range(first, count).Should().BeEquivalentTo(Read(run, line).Except(Read(run, line - 1)), "line {0} of {1}", line, run);
                }
            }
        }

        lines.Should().BeGreaterThan(8);
    }

    /// <summary>Outputs by addresses ask once a call: two outputs at a time where both have all taps, one elsewhere, for four, two and one vectors of channels.</summary>
    [Theory]
    [InlineData(112, 1, 4, 29)] // 1 + 27 pairs + 1
    [InlineData(111, 1, 4, 29)]
    [InlineData(113, 0, 4, 28)]
    [InlineData(113, 0, 9, 84)]
    [InlineData(8, 6, 3, 16)] // the first and the last three of nine lack taps: 3 + a pair + 1 + 3, twice each
    public void PartsByAddresses_AreOneACall(int width, int padding, int vectors, int parts)
    {
        SlidingAxis axis = SlidingAxis.Forward(((width + (2 * padding) - 3) / 2) + 1, width, taps: 3, stride: 2, dilation: 1, padding);
        WideDepthwiseMicroKernel.Parts(WideOutputs.Of(axis.Runs.Should().ContainSingle().Subject), vectors).Should().Be(parts);
    }

    private static IEnumerable<int> Read(WindowRun run, int line) => Enumerable.Range(0, run.Taps).Select(tap => run.Source + (line * run.SourceStep) + (tap * run.SourceTapStep));
}
