namespace NativeConv;

/// <summary>What a callback watches.</summary>
public enum MonitoredFigure
{
    /// <summary>The validation loss; the training loss where there is no validation.</summary>
    Loss,

    /// <summary>The validation accuracy; the training accuracy where there is no validation.</summary>
    Accuracy,
}
