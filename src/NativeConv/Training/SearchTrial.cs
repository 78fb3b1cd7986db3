namespace NativeConv;

/// <summary>What came of one trial of a search.</summary>
/// <param name="Settings">What was tried.</param>
/// <param name="Epochs">The epochs of its longest training.</param>
/// <param name="HeldOut">How well that did on the held-out images; null where it ended with a loss that was not finite.</param>
public sealed record SearchTrial(SearchSettings Settings, int Epochs, Evaluation? HeldOut);
