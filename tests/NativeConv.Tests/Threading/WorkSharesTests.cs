using FluentAssertions;
using NativeConv.Threading;
using Xunit;

namespace NativeConv.Tests.Threading;

public sealed class WorkSharesTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 64)]
    [InlineData(3, 7)]
    [InlineData(8, 3)]
    [InlineData(4, 0)]
    public void TryTake_OneWorkerAfterAnother_GivesEveryPartOnce_ItsOwnFirst(int workers, int parts)
    {
        var shares = new WorkShares(workers);
        for (int round = 0; round < 3; round++)
        {
            shares.Begin(parts, workers);
            int own = workers - 1, first = (int)((long)parts * own / workers);
            List<int> taken = Drain(shares, own);
            taken.Should().OnlyHaveUniqueItems().And.BeEquivalentTo(Enumerable.Range(0, parts));
            taken.Take(parts - first).Should().Equal(Enumerable.Range(first, parts - first), "a worker begins with its own share, in order");
            for (int worker = 0; worker < workers; worker++)
                Drain(shares, worker).Should().BeEmpty();
        }
    }

    [Fact]
    public void TryTake_ManyThreads_GivesEveryPartOnce()
    {
        const int Workers = 5, Parts = 20_000;
        var shares = new WorkShares(Workers);
        for (int round = 0; round < 20; round++)
        {
            shares.Begin(Parts, Workers);
            var taken = new List<int>[Workers];
            using var together = new Barrier(Workers);
            Thread[] threads = [.. Enumerable.Range(0, Workers).Select(worker => new Thread(() =>
            {
                together.SignalAndWait();
                // All at one counter, where they meet most.
                taken[worker] = Drain(shares, worker: 0);
            }))];
            foreach (Thread thread in threads)
                thread.Start();

            foreach (Thread thread in threads)
                thread.Join();

            taken.SelectMany(parts => parts).Order().Should().Equal(Enumerable.Range(0, Parts));
        }
    }

    [Fact]
    public void TryTake_FewerWorkersThanThereMayBe_SharesAmongThem()
    {
        var shares = new WorkShares(8);
        shares.Begin(6, 2);
        shares.TryTake(1, out int part).Should().BeTrue();
        part.Should().Be(3);
        Drain(shares, 0).Should().Equal(0, 1, 2, 4, 5);
    }

    private static List<int> Drain(WorkShares shares, int worker)
    {
        var taken = new List<int>();
        while (shares.TryTake(worker, out int part))
            taken.Add(part);

        return taken;
    }
}
