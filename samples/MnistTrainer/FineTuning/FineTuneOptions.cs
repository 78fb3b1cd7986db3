namespace MnistTrainer;

/// <summary>What the user asked a fine-tuning for.</summary>
internal sealed record FineTuneOptions
{
    public required DataSource Data { get; init; }

    /// <summary>The model file to start from; the newest run's where null.</summary>
    public required string? From { get; init; }

    public required IReadOnlyList<string> Freeze { get; init; }

    /// <summary>What is trained of that after all.</summary>
    public required IReadOnlyList<string> Unfreeze { get; init; }

    public required IReadOnlyList<(string Pattern, float Factor)> RateFactors { get; init; }

    /// <summary>Whether the head starts anew even where it fits.</summary>
    public required bool NewHead { get; init; }

    /// <summary>The model file of a teacher, if any.</summary>
    public required string? Teacher { get; init; }

    public required float Temperature { get; init; }

    public required float TeacherWeight { get; init; }

    /// <summary>Training images a class, drawn at random; more than one number is a comparison, none is all images.</summary>
    public required IReadOnlyList<int> PerClass { get; init; }

    /// <summary>Trainings for each row of a comparison.</summary>
    public required int Seeds { get; init; }

    public required bool AgainstScratch { get; init; }

    public required int Epochs { get; init; }

    /// <summary>Where images are few, epochs are added until there are so many steps.</summary>
    public required int LeastSteps { get; init; }

    public required int BatchSize { get; init; }

    public required float LearningRate { get; init; }

    public required float ScratchLearningRate { get; init; }

    public required bool Augment { get; init; }

    public required ulong Seed { get; init; }

    public required int Threads { get; init; }

    public required string? Output { get; init; }

    public required bool Resume { get; init; }

    public required int? CheckpointEvery { get; init; }

    public required int? StopAfterSteps { get; init; }

    /// <summary>Whether figures are compared, and no model is kept.</summary>
    public bool IsComparison => AgainstScratch || Seeds > 1 || PerClass.Count > 1;
}
