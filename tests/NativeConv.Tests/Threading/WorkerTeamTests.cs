using FluentAssertions;
using NativeConv.Threading;
using Xunit;

namespace NativeConv.Tests.Threading;

public sealed class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Run_RunsEveryPartOnce_PhaseAfterPhase(int workers)
    {
        var work = new Recorded([5, 0, 1, 64, 3, 0, 0, 17, 2], workers);
        var team = new WorkerTeam(work);
        for (int round = 0; round < 50; round++)
        {
            work.Clear();
            team.Run(workers, 0, work.Phases);
            work.ShouldHaveRun(0, work.Phases);
        }
    }

    [Fact]
    public void Run_SomePhases_RunsThemAlone()
    {
        var work = new Recorded([4, 4, 4, 4, 4], workers: 5);
        var team = new WorkerTeam(work);
        team.Run(2, 1, 3);
        work.ShouldHaveRun(1, 3);
        work.Clear();
        team.Run(2, 3, 3);
        work.ShouldHaveRun(3, 3);
        work.Clear();
        team.Run(1, 2, 5);
        work.ShouldHaveRun(2, 5);
        work.Clear();
        team.Run(5, 0, 5);
        work.ShouldHaveRun(0, 5);
    }

    /// <summary>Parts that take long, more workers than cores: those who wait sleep, and are woken.</summary>
    [Fact]
    public void Run_PartsThatTakeLong_AreWaitedFor()
    {
        var work = new Recorded([3, 1, 7, 1, 2, 9, 1], workers: 8) { LongPart = 0 };
        var team = new WorkerTeam(work);
        for (int round = 0; round < 3; round++)
        {
            work.Clear();
            team.Run(8, 0, work.Phases);
            work.ShouldHaveRun(0, work.Phases);
        }
    }

    [Fact]
    public void Run_ManyTeamsAtOnce_EachRunsItsOwn()
    {
        int[] parts = [.. Enumerable.Range(0, 200).Select(phase => phase % 7)];
        Recorded[] works = [.. Enumerable.Range(0, 6).Select(_ => new Recorded(parts, workers: 4))];
        Thread[] threads = [.. works.Select(work => new Thread(() =>
        {
            var team = new WorkerTeam(work);
            for (int round = 0; round < 20; round++)
            {
                work.Clear();
                team.Run(4, 0, work.Phases);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();

        foreach (Thread thread in threads)
            thread.Join();

        foreach (Recorded work in works)
            work.ShouldHaveRun(0, work.Phases);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(4, true)]
    public void Run_WorkThatFails_ThrowsWhatItThrew_AndRunsAgain(int workers, bool isBetween)
    {
        var work = new Recorded([8, 8, 8, 8], workers) { FailingPhase = 2, FailsBetween = isBetween };
        var team = new WorkerTeam(work);
        for (int round = 0; round < 20; round++)
        {
            work.Clear();
            FluentActions.Invoking(() => team.Run(workers, 0, work.Phases)).Should().Throw<NotSupportedException>().WithMessage("phase 2");
            work.Begun.Should().Equal(0, 1, 2);
        }

        work.FailingPhase = -1;
        work.Clear();
        team.Run(workers, 0, work.Phases);
        work.ShouldHaveRun(0, work.Phases);
    }

    [Fact]
    public void Run_OneWorker_AllocatesNothing()
    {
        var team = new WorkerTeam(new Nothing());
        team.Run(1, 0, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        team.Run(1, 0, 100);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    private sealed class Nothing : IPhasedWork
    {
        public int Begin(int phase) => 3;

        public void Run(int phase, int part, int worker)
        {
        }
    }

    /// <summary>Counts how often each part ran, and notes what must never be: a part before its phase or after it, and two at once under one worker's number.</summary>
    private sealed class Recorded(int[] parts, int workers) : IPhasedWork
    {
        private readonly int[][] _runs = [.. parts.Select(count => new int[count])];
        private readonly int[] _busy = new int[workers];
        private int _phase = -1, _faults;

        public int Phases => parts.Length;

        public List<int> Begun { get; } = [];

        public int FailingPhase { get; set; } = -1;

        public bool FailsBetween { get; init; }

        /// <summary>The part of every phase that takes longer than workers look out for the next one.</summary>
        public int LongPart { get; init; } = -1;

        public void Clear()
        {
            Begun.Clear();
            Array.Clear(_busy);
            foreach (int[] runs in _runs)
                Array.Clear(runs);
        }

        public int Begin(int phase)
        {
            Begun.Add(phase);
            if (_phase >= 0 && Begun.Count > 1 && FailingPhase < 0 && _runs[_phase].Any(count => count != 1))
                Interlocked.Increment(ref _faults);

            Volatile.Write(ref _phase, phase);
            if (phase == FailingPhase && FailsBetween)
                throw new NotSupportedException($"phase {phase}");

            return parts[phase];
        }

        public void Run(int phase, int part, int worker)
        {
            if (phase != Volatile.Read(ref _phase) || Interlocked.Exchange(ref _busy[worker], 1) != 0)
                Interlocked.Increment(ref _faults);

            if (part == LongPart)
                Thread.Sleep(3);

            Interlocked.Increment(ref _runs[phase][part]);
            Volatile.Write(ref _busy[worker], 0);
            if (phase == FailingPhase && part == 5)
                throw new NotSupportedException($"phase {phase}");
        }

        public void ShouldHaveRun(int first, int end)
        {
            _faults.Should().Be(0);
            Begun.Should().Equal(Enumerable.Range(first, end - first));
            for (int phase = first; phase < end; phase++)
                _runs[phase].Should().AllBeEquivalentTo(1, "every part of phase {0} runs once", phase);
        }
    }
}
