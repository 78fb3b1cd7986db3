namespace MnistTrainer;

/// <summary>How long an epoch took so far. One that was stopped counts in all its parts, one whose process was killed from where it went on.</summary>
internal sealed record EpochTime(int Epoch, double Seconds, double ImagesPerSecond);
