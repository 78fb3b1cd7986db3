namespace MnistTrainer;

/// <summary>How long an epoch took; one that was interrupted counts from where it went on.</summary>
internal sealed record EpochTime(int Epoch, double Seconds, double ImagesPerSecond);
