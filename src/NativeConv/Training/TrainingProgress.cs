namespace NativeConv;

/// <summary>Where a training stands after a step.</summary>
/// <param name="Epoch">The epoch under way, from 1.</param>
/// <param name="Epochs">How many there will be.</param>
/// <param name="Images">Images of the epoch that are done.</param>
/// <param name="ImagesInEpoch">Images of the epoch.</param>
/// <param name="Step">Steps done since the start.</param>
/// <param name="Loss">The epoch's mean loss so far.</param>
/// <param name="Accuracy">The part of the epoch's images that were right so far, 0 to 1.</param>
/// <param name="ImagesPerSecond">The epoch's speed so far.</param>
/// <param name="Remaining">The time left at that speed, evaluation apart.</param>
public readonly record struct TrainingProgress(
    int Epoch, int Epochs, int Images, int ImagesInEpoch, long Step, double Loss, double Accuracy, double ImagesPerSecond, TimeSpan Remaining);
