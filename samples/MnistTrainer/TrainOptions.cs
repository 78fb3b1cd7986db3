namespace MnistTrainer;

/// <summary>What the user asked a training for.</summary>
internal sealed record TrainOptions(
    DataSource Data, string Network, bool Augment, int Epochs, int BatchSize, float? LearningRate, ulong Seed, int Threads, int? Limit, int Validation, string? Output);
