namespace NativeConv.Random;

/// <summary>What a stream of random numbers is for. Values are part of what a seed means: never renumber them.</summary>
internal enum StreamPurpose : byte
{
    Initializer = 1,
    Shuffle = 2,
    Dropout = 3,
    Augmentation = 4,
    DrawnDigits = 5,
    Split = 6,
    Search = 7,
}
