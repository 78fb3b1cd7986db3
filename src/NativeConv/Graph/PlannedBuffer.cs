namespace NativeConv.Graph;

/// <summary>A block of values that a plan places: when it is used decides where it lies.</summary>
internal sealed class PlannedBuffer(string name, int imageLength)
{
    private bool _isForUnit;

    public string Name => name;

    /// <summary>Floats an image.</summary>
    public int ImageLength { get; } = imageLength;

    public int FirstStage { get; private set; } = int.MaxValue;

    public int LastStage { get; private set; } = -1;

    public int FirstStep { get; private set; } = int.MaxValue;

    public int LastStep { get; private set; } = -1;

    public bool IsUsed => LastStage >= 0;

    /// <summary>Whether every stage that uses it writes it first.</summary>
    public bool IsWorkedOutAgain { get; set; }

    /// <summary>Whether no value of it outlives a stage, so that a worker needs it for a few images only.</summary>
    public bool IsPerWorker => FirstStage == LastStage || IsWorkedOutAgain;

    /// <summary>Whether a worker needs room for all images that it takes, since it goes through others before it is done with one.</summary>
    public bool IsForUnit => _isForUnit && IsPerWorker;

    /// <summary>Whether something reads the whole batch as one block, its images side by side.</summary>
    public bool IsReadWhole { get; set; }

    /// <summary>Whether a stage that uses it goes in bands.</summary>
    public bool IsUsedInBands { get; set; }

    /// <summary>Whether a step of such a stage reads it a band behind the one that writes it, or beside other bands, so that a worker keeps all of an image.</summary>
    public bool IsKeptForBands { get; set; }

    /// <summary>Whether a band that has been read is read again beside the next, so that nothing may be written in its place until the image is done.</summary>
    public bool IsReadAcrossBands { get; set; }

    /// <summary>Floats from the start of the arena, or of the worker's part of it.</summary>
    public long Offset { get; set; }

    /// <summary>Floats from an image to the next.</summary>
    public int ImageStride { get; set; } = imageLength;

    /// <summary>Makes it live from one step to another for all images that a worker takes.</summary>
    public void KeepForUnit(int firstStep, int lastStep)
    {
        _isForUnit = true;
        KeepThrough(firstStep, lastStep);
    }

    /// <summary>Makes it live from one step to another.</summary>
    public void KeepThrough(int firstStep, int lastStep)
    {
        FirstStep = Math.Min(FirstStep, firstStep);
        LastStep = Math.Max(LastStep, lastStep);
    }

    public void Use(int stage, int step)
    {
        FirstStage = Math.Min(FirstStage, stage);
        LastStage = Math.Max(LastStage, stage);
        FirstStep = Math.Min(FirstStep, step);
        LastStep = Math.Max(LastStep, step);
    }
}
