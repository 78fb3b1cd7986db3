namespace NativeConv;

/// <summary>What an epoch gave.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Loss">The mean training loss, each image counted as it was when its step began.</param>
/// <param name="Accuracy">The part of the training images that were right then, 0 to 1.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="TrainSeconds">Time spent training since the epoch began or was resumed, evaluation apart; 0 where it was read from a checkpoint, which holds no times.</param>
/// <param name="ImagesPerSecond">Training speed in that time; 0 where it was read from a checkpoint.</param>
/// <param name="Validation">Figures on the validation data; null where there are none.</param>
public sealed record EpochResult(
    int Epoch, double Loss, double Accuracy, float LearningRate, double TrainSeconds, double ImagesPerSecond, Evaluation? Validation)
{
    /// <summary>What a callback watches, turned so that more is better; the worst there is where it is no number.</summary>
    internal double Merit(MonitoredFigure monitor)
    {
        double merit = monitor == MonitoredFigure.Loss ? -(Validation?.Loss ?? Loss) : Validation?.Accuracy ?? Accuracy;
        return double.IsNaN(merit) ? double.NegativeInfinity : merit;
    }
}
