
namespace NativeConv;

/// <summary>What a step gave.</summary>
/// <param name="Loss">The batch's mean loss, before the step.</param>
/// <param name="Correct">How many images' largest output was their label's, before the step.</param>
public readonly record struct StepResult(float Loss, int Correct);
