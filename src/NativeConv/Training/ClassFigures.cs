namespace NativeConv;

/// <summary>How well one class is told from the others.</summary>
/// <param name="Precision">The part of what was taken for the class that is of it.</param>
/// <param name="Recall">The part of the class that was taken for it.</param>
/// <param name="F1">The harmonic mean of the two.</param>
/// <param name="Count">Images of the class.</param>
public readonly record struct ClassFigures(double Precision, double Recall, double F1, long Count);
