using NativeConv.Numerics;
using NativeConv.Random;

namespace NativeConv.Data;

/// <summary>
/// Draws one digit at a time: disturbs a style's points, runs a smooth curve through them, bends, slants and turns it, and inks
/// every pixel by its distance from the curve. Fitted and centred as MNIST is: the longer side fills 20 pixels, and the centre of
/// mass lies in the middle of 28 x 28.
/// </summary>
internal sealed class DigitPen(DigitStyle[][] styles)
{
    public const int Side = 28;

    private const int Box = 20, Steps = 6, MaximumPoints = 32 * Steps;

    private readonly double[] _controlX = new double[32], _controlY = new double[32];
    private readonly double[] _x = new double[MaximumPoints], _y = new double[MaximumPoints], _radius = new double[MaximumPoints];
    private readonly bool[] _isLast = new bool[MaximumPoints];
    private readonly float[] _ink = new float[Side * Side];
    private int _count;

    public void Draw(int digit, RandomStream random, Span<byte> image)
    {
        DigitStyle style = Pick(styles[digit], ref random);
        Disturb(style, ref random);
        Trace(style);
        Deform(ref random);
        double radius = Math.Clamp(1.3 + 0.42 * Normal(ref random), 0.65, 2.6), softness = 0.8 + 0.7 * random.NextDouble();
        Fit(radius, Box - 2 * radius - softness / 2, ref random);
        Ink(softness);
        Centre(image);
    }

    private static DigitStyle Pick(DigitStyle[] styles, ref RandomStream random)
    {
        uint total = 0;
        foreach (DigitStyle style in styles)
            total += style.Weight;

        uint ticket = random.NextBelow(total);
        int chosen = 0;
        while (ticket >= styles[chosen].Weight)
            ticket -= styles[chosen++].Weight;

        return styles[chosen];
    }

    private void Disturb(DigitStyle style, ref RandomStream random)
    {
        const double Deviation = 0.04;
        for (int i = 0; i < style.X.Length; i++)
        {
            _controlX[i] = style.X[i] + Deviation * Normal(ref random);
            _controlY[i] = style.Y[i] + Deviation * Normal(ref random);
        }
    }

    /// <summary>Catmull and Rom's spline through the points; at a corner or an end, the missing neighbour is the point itself.</summary>
    private void Trace(DigitStyle style)
    {
        _count = 0;
        bool starts = true;
        for (int i = 0; i < style.X.Length; i++)
        {
            if (style.IsLast[i])
            {
                Add(_controlX[i], _controlY[i], isLast: true);
                starts = true;
                continue;
            }

            int before = starts || style.IsCorner[i] ? i : i - 1;
            int after = style.IsLast[i + 1] || style.IsCorner[i + 1] ? i + 1 : i + 2;
            for (int step = 0; step < Steps; step++)
            {
                double t = (double)step / Steps;
                Add(Spline(_controlX, before, i, after, t), Spline(_controlY, before, i, after, t), isLast: false);
            }

            starts = false;
        }
    }

    private static double Spline(double[] points, int before, int i, int after, double t)
    {
        double p0 = points[before], p1 = points[i], p2 = points[i + 1], p3 = points[after];
        double slope1 = (p2 - p0) / 2, slope2 = (p3 - p1) / 2, difference = p2 - p1;
        return p1 + t * (slope1 + t * (3 * difference - 2 * slope1 - slope2 + t * (slope1 + slope2 - 2 * difference)));
    }

    private void Add(double x, double y, bool isLast)
    {
        (_x[_count], _y[_count], _isLast[_count]) = (x, y, isLast);
        _count++;
    }

    /// <summary>A slow wave across the digit, then width, slant and rotation.</summary>
    private void Deform(ref RandomStream random)
    {
        double waveX = 0.04 * Normal(ref random), waveY = 0.03 * Normal(ref random);
        double frequency = 3 + 4 * random.NextDouble(), phaseX = 6.28 * random.NextDouble(), phaseY = 6.28 * random.NextDouble();
        double width = Math.Clamp(1.08 + 0.24 * Normal(ref random), 0.5, 1.9);
        double taper = 0.25 * Normal(ref random), sag = 0.2 * Normal(ref random);
        double slant = 0.18 + 0.22 * Normal(ref random), angle = 0.1 * Normal(ref random);
        double cos = ScalarFunctions.Cos(angle), sin = ScalarFunctions.Sin(angle);
        for (int i = 0; i < _count; i++)
        {
            double x = _x[i] - 0.3, y = _y[i] - 0.5;
            x *= 1 + taper * y;
            y += sag * (0.25 - y * y);
            double bentX = width * (x + waveX * ScalarFunctions.Sin(frequency * y + phaseX)) - slant * y;
            double bentY = y + waveY * ScalarFunctions.Sin(frequency * x + phaseY);
            (_x[i], _y[i]) = (cos * bentX - sin * bentY, sin * bentX + cos * bentY);
        }
    }

    /// <summary>Scales and moves the curve so that, inked with the radius in pixels, its longer side fills the box in mid-image.</summary>
    private void Fit(double radius, double length, ref RandomStream random)
    {
        double left = _x[0], right = left, top = _y[0], bottom = top;
        for (int i = 1; i < _count; i++)
        {
            (left, right) = (Math.Min(left, _x[i]), Math.Max(right, _x[i]));
            (top, bottom) = (Math.Min(top, _y[i]), Math.Max(bottom, _y[i]));
        }

        double scale = length / Math.Max(right - left, bottom - top);
        double uneven = 0.12 * Normal(ref random), phase = 6.28 * random.NextDouble(), pace = 0.15 * random.NextDouble();
        for (int i = 0; i < _count; i++)
        {
            _x[i] = Side / 2.0 + scale * (_x[i] - (left + right) / 2);
            _y[i] = Side / 2.0 + scale * (_y[i] - (top + bottom) / 2);
            _radius[i] = radius * (1 + uneven * ScalarFunctions.Sin(pace * i + phase));
        }
    }

    private void Ink(double softness)
    {
        Array.Clear(_ink);
        for (int i = 0; i + 1 < _count; i++)
        {
            if (!_isLast[i])
                InkSegment(i, softness);
        }
    }

    private void InkSegment(int i, double softness)
    {
        double x0 = _x[i], y0 = _y[i], dx = _x[i + 1] - x0, dy = _y[i + 1] - y0, squared = dx * dx + dy * dy;
        double inverse = squared > 0 ? 1 / squared : 0, r0 = _radius[i], dr = _radius[i + 1] - r0;
        double reach = Math.Max(r0, r0 + dr) + softness / 2;
        int firstColumn = First(Math.Min(x0, x0 + dx) - reach), lastColumn = Last(Math.Max(x0, x0 + dx) + reach);
        int firstRow = First(Math.Min(y0, y0 + dy) - reach), lastRow = Last(Math.Max(y0, y0 + dy) + reach);
        for (int row = firstRow; row <= lastRow; row++)
        {
            for (int column = firstColumn; column <= lastColumn; column++)
            {
                double px = column + 0.5 - x0, py = row + 0.5 - y0;
                double t = Math.Clamp((px * dx + py * dy) * inverse, 0, 1), ex = px - t * dx, ey = py - t * dy;
                double ink = (r0 + t * dr - Math.Sqrt(ex * ex + ey * ey)) / softness + 0.5;
                ref float pixel = ref _ink[row * Side + column];
                pixel = Math.Max(pixel, (float)Math.Min(ink, 1));
            }
        }

        static int First(double edge) => Math.Max(0, (int)Math.Floor(edge - 0.5));
        static int Last(double edge) => Math.Min(Side - 1, (int)Math.Ceiling(edge - 0.5));
    }

    /// <summary>Writes the image, moved by whole pixels so that its centre of mass comes to the middle.</summary>
    private void Centre(Span<byte> image)
    {
        double mass = 0, massX = 0, massY = 0;
        for (int i = 0; i < _ink.Length; i++)
        {
            mass += _ink[i];
            massX += _ink[i] * (i % Side + 0.5);
            massY += _ink[i] * (i / Side + 0.5);
        }

        int right = (int)Math.Round(Side / 2.0 - massX / mass), down = (int)Math.Round(Side / 2.0 - massY / mass);
        image.Clear();
        for (int row = Math.Max(0, down); row < Math.Min(Side, Side + down); row++)
        {
            for (int column = Math.Max(0, right); column < Math.Min(Side, Side + right); column++)
                image[row * Side + column] = (byte)(255 * _ink[(row - down) * Side + column - right] + 0.5f);
        }
    }

    /// <summary>Nearly normal, variance 1, never beyond 3.5: the sum of four uniform numbers.</summary>
    private static double Normal(ref RandomStream random)
    {
        const double RootOf3 = 1.7320508075688772;
        return RootOf3 * ((double)random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2);
    }
}
