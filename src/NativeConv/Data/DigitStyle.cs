using System.Globalization;

namespace NativeConv.Data;

/// <summary>
/// One way to write a digit: points in hundredths of its height (x to the right, y down) that the pen passes, with where it turns
/// sharply or is lifted.
/// </summary>
internal sealed class DigitStyle
{
    private DigitStyle(int weight, string path)
    {
        Weight = (uint)weight;
        string[] points = [.. path.Split('|').SelectMany(static stroke => MarkLast(stroke.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        X = Array.ConvertAll(points, static point => Coordinate(point, 0));
        Y = Array.ConvertAll(points, static point => Coordinate(point, 1));
        IsCorner = Array.ConvertAll(points, static point => point.EndsWith('!'));
        IsLast = Array.ConvertAll(points, static point => point.EndsWith('|'));
    }

    /// <summary>How often the style is drawn, relative to the others of its digit.</summary>
    public uint Weight { get; }

    public double[] X { get; }

    public double[] Y { get; }

    /// <summary>Where the curve turns sharply instead of smoothly.</summary>
    public bool[] IsCorner { get; }

    /// <summary>After which points the pen is lifted.</summary>
    public bool[] IsLast { get; }

    /// <summary>The styles of each digit. A point is "x,y", with "!" at a corner; "|" lifts the pen.</summary>
    public static DigitStyle[][] All() =>
    [
        [
            new(5, "32,0 10,16 2,50 10,86 32,100 54,85 62,50 54,15 31,1"),
            new(3, "47,6 22,3 5,32 5,70 26,99 50,86 62,50 54,16 36,2 20,9"),
            new(2, "40,12 24,1 6,26 3,62 20,98 46,92 61,55 56,16 34,6 24,22"),
            new(1, "20,2 4,40 8,80 30,100 52,86 60,50 50,18 22,2"),
        ],
        [
            new(16, "10,0 10,50 10,100"),
            new(3, "0,20 20,0! 20,50 20,100"),
            new(1, "4,20 25,0! 25,50 25,100! | 0,100 25,99 50,100"),
            new(2, "6,8 14,0 18,50 16,100"),
        ],
        [
            new(4, "4,22 24,1 50,10 52,38 28,72 2,97! 34,95 66,98"),
            new(4, "6,20 28,1 52,16 46,50 22,84 6,97 2,86 16,78 36,90 66,94"),
            new(2, "2,8 26,2 52,12 42,48 2,95! 30,90 64,100"),
            new(2, "10,24 26,2 50,12 46,44 24,78 8,92 8,80 24,82 44,98 66,86"),
            new(1, "0,6 48,4! 24,50 0,97! 28,97 58,97"),
        ],
        [
            new(4, "5,11 28,0 52,14 45,38 20,47! 48,54 58,77 36,99 3,90"),
            new(2, "5,3 28,3 52,3! 24,42! 50,52 57,80 32,100 2,90"),
            new(3, "7,12 30,0 50,18 36,41 22,46 22,50 42,52 57,74 38,99 4,92"),
            new(2, "2,14 30,1 56,12 42,36 18,46! 50,52 62,74 34,96 0,84"),
            new(1, "10,4 36,0 50,20 30,46! 46,64 40,90 22,100 4,92"),
        ],
        [
            new(4, "12,0 8,28 2,54! 30,54 62,52 | 52,2 48,50 45,100"),
            new(2, "46,0 24,30 0,64! 32,63 64,62 | 46,0 45,50 44,100"),
            new(3, "8,4 4,30 14,48 36,46 54,4! 50,52 46,100"),
            new(3, "18,0 6,28 4,48 18,54 40,50 62,44 | 60,2 46,50 32,100"),
            new(2, "22,4 12,24 0,52! 30,52 60,53 | 44,24 42,60 40,100"),
            new(1, "26,2 4,52! 34,50 58,4! 44,56 36,100"),
        ],
        [
            new(4, "56,2 34,3 12,3! 7,42! 34,36 56,62 46,92 22,100 0,91"),
            new(3, "13,3 8,42! 34,36 57,62 42,94 2,96 | 12,3 36,2 62,0"),
            new(2, "62,2 34,4 13,20 22,42 48,58 44,90 3,97"),
            new(2, "72,0 48,4 26,6! 16,42! 42,42 50,70 32,96 0,94"),
            new(1, "56,4 32,4 10,6! 10,38 30,46 52,66 44,94 18,98 2,82"),
        ],
        [
            new(4, "44,0 18,26 3,65 14,96 42,97 55,76 38,56 16,64 5,82"),
            new(3, "18,0 5,40 4,80 24,100 52,88 46,62 22,60 5,78"),
            new(3, "50,2 24,18 5,56 10,92 36,100 58,78 44,56 24,64 18,90"),
            new(1, "36,0 14,38 6,78 26,100 44,84 30,66 8,78"),
        ],
        [
            new(4, "0,6 28,5 55,3! 36,48 22,100"),
            new(1, "0,6 28,5 55,3! 36,48 22,100 | 12,52 34,50 56,49"),
            new(3, "1,20 3,4! 28,6 56,4! 38,50 28,100"),
            new(2, "0,14 18,4 56,5! 42,42 28,74 24,100"),
            new(2, "0,10 20,6 54,2 50,24 34,60 26,100"),
            new(1, "0,6 24,8 48,2! 50,50 46,100"),
        ],
        [
            new(4, "53,12 30,0 8,15 19,39 45,58 53,84 28,100 4,86 14,60 42,40 54,18 46,5"),
            new(2, "30,47 8,28 17,4 44,3 54,25 30,47 4,73 14,98 46,98 58,73 31,47"),
            new(2, "58,8 36,1 16,18 30,46 46,74 28,100 8,82 26,52 48,30 60,6"),
            new(1, "34,44 14,32 16,6 42,0 52,20 34,44 14,64 12,92 34,100 46,80 30,48"),
            new(1, "50,4 20,6 10,26 30,44 52,64 46,94 16,98 8,76 26,50 50,28 44,4"),
        ],
        [
            new(4, "52,15 30,0 6,18 8,42 32,48 52,18! 50,58 46,100"),
            new(3, "50,12 26,1 4,26 18,49 44,38 52,12 52,42 44,76 26,100"),
            new(3, "50,18 30,2 5,24 16,46 46,26 54,8! 42,52 28,100"),
            new(1, "50,14 26,0 4,24 18,48 44,36 52,12! 55,60 44,95 14,94"),
            new(1, "44,8 20,8 4,32 20,50 42,34 46,10 42,40 40,100"),
        ],
    ];

    private static IEnumerable<string> MarkLast(string[] stroke) => stroke[..^1].Append(stroke[^1] + "|");

    private static double Coordinate(string point, int axis) =>
        double.Parse(point.TrimEnd('|', '!').Split(',')[axis], CultureInfo.InvariantCulture) / 100;
}
