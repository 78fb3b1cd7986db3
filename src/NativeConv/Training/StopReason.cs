namespace NativeConv;

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>Every epoch was trained.</summary>
    Finished,

    /// <summary>A callback asked for it.</summary>
    Callback,

    /// <summary>It was cancelled.</summary>
    Cancelled,
}
