using System.Globalization;
using NativeConv;

namespace MnistTrainer;

/// <summary>Classes of a data set, from the first to the last, by number.</summary>
internal sealed record ClassRange(int First, int Last)
{
    /// <summary>Reads <c>5-9</c>, or <c>3</c>; null where the text is neither.</summary>
    public static ClassRange? Parse(string text)
    {
        string[] parts = text.Split('-', 2);
        return Whole(parts[0]) is { } first && Whole(parts[^1]) is { } last && first <= last ? new(first, last) : null;
    }

    /// <summary>The images of these classes, labelled from 0.</summary>
    public Dataset Of(Dataset data) => Last < data.ClassCount
        ? data.TakeClasses([.. Enumerable.Range(First, Last - First + 1)])
        : throw new ArgumentException($"--classes is {this}, but the data set has classes 0 to {data.ClassCount - 1}.");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    private static int? Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
