namespace NativeConv;

/// <summary>How well a model does on a data set. Macro figures average the classes; 0/0 counts as 0.</summary>
public sealed class Evaluation
{
    private readonly long[,] _confusion;

    /// <summary>Derives every figure from a confusion matrix.</summary>
    /// <param name="loss">The mean loss.</param>
    /// <param name="confusion">How many images of the class in the row were taken for the class in the column; square.</param>
    /// <param name="classNames">A name a class; empty for their numbers.</param>
    /// <exception cref="ArgumentException">The matrix is not square.</exception>
    public Evaluation(double loss, long[,] confusion, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(confusion);
        int classes = confusion.GetLength(0);
        if (confusion.GetLength(1) != classes)
            throw new ArgumentException($"A confusion matrix is square, but this is {classes}x{confusion.GetLength(1)}.", nameof(confusion));

        Loss = loss;
        _confusion = (long[,])confusion.Clone();
        ClassNames = classNames is { Count: > 0 } ? classNames : [.. Enumerable.Range(0, classes).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        var figures = new ClassFigures[classes];
        for (int c = 0; c < classes; c++)
        {
            long right = confusion[c, c], actual = 0, predicted = 0;
            for (int other = 0; other < classes; other++)
            {
                actual += confusion[c, other];
                predicted += confusion[other, c];
            }

            Count += actual;
            Correct += right;
            figures[c] = new(Ratio(right, predicted), Ratio(right, actual), Ratio(2 * right, actual + predicted), actual);
        }

        Classes = figures;
    }

    /// <summary>The mean loss an image.</summary>
    public double Loss { get; }

    /// <summary>Images.</summary>
    public long Count { get; }

    /// <summary>Images whose class was right.</summary>
    public long Correct { get; }

    /// <summary>The part that was right, 0 to 1.</summary>
    public double Accuracy => Ratio(Correct, Count);

    /// <summary>The mean of the classes' precision.</summary>
    public double Precision => Classes.Average(figures => figures.Precision);

    /// <summary>The mean of the classes' recall.</summary>
    public double Recall => Classes.Average(figures => figures.Recall);

    /// <summary>The mean of the classes' F1.</summary>
    public double F1 => Classes.Average(figures => figures.F1);

    /// <summary>The figures of each class.</summary>
    public IReadOnlyList<ClassFigures> Classes { get; }

    /// <summary>A name a class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How many images of one class were taken for another.</summary>
    public long Confusion(int actual, int predicted) => _confusion[actual, predicted];

    /// <summary>The main figures in a line.</summary>
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"loss {Loss:F4}, accuracy {Accuracy:P2}, precision {Precision:P2}, recall {Recall:P2}, F1 {F1:P2}");

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
