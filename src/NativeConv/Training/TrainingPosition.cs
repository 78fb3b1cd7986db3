namespace NativeConv.Training;

/// <summary>How far a training has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="StepsPerEpoch">Steps of an epoch.</param>
/// <param name="LossSum">The sum of the images' losses in the epoch under way.</param>
/// <param name="Correct">Images of the epoch under way that were right.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="LearningRateScale">What callbacks have made of the scheduled learning rate.</param>
/// <param name="Reason">Why the training ended; null while there is more to do.</param>
internal sealed record TrainingPosition(
    long Step, int StepsPerEpoch, double LossSum, int Correct, float LearningRate, double LearningRateScale, StopReason? Reason);
