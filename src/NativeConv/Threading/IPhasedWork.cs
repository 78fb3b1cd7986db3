namespace NativeConv.Threading;

/// <summary>Work in phases: the parts of one may run side by side, in any order and by any worker; each phase begins when all of the one before is done.</summary>
internal interface IPhasedWork
{
    /// <summary>What must happen before any part of a phase begins, with all before done; gives how many parts there are. Called once a phase, on any worker's thread.</summary>
    int Begin(int phase);

    /// <summary>One part. No two parts run at once under one worker's number.</summary>
    void Run(int phase, int part, int worker);
}
