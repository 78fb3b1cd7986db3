using System.Runtime.CompilerServices;
using NativeConv.Numerics;
using NativeConv.Random;

namespace NativeConv.Data;

/// <summary>Varies images of one shape, with memory of its own: one for each thread.</summary>
internal sealed class Augmenter
{
    private readonly Augmentation _augmentation;
    private readonly ImageShape _shape;
    private readonly int _gridRows, _gridColumns;
    private readonly float _height, _width;
    private readonly float[] _gridY = [], _gridX = [], _lineY = [], _lineX = [];
    private readonly int[] _columnOf = [], _rowOf = [];
    private readonly Taps[] _columnTaps = [], _rowTaps = [];

    public Augmenter(Augmentation augmentation, ImageShape shape)
    {
        _augmentation = augmentation;
        _shape = shape;
        _height = shape.Height;
        _width = shape.Width;
        if (augmentation.Elastic == 0)
            return;

        // A cubic spline sees one point before and two behind.
        (_rowOf, _rowTaps) = Spline(shape.Height, augmentation.ElasticSpacing);
        (_columnOf, _columnTaps) = Spline(shape.Width, augmentation.ElasticSpacing);
        _gridRows = _rowOf[^1] + 4;
        _gridColumns = _columnOf[^1] + 4;
        _gridY = new float[_gridRows * _gridColumns];
        _gridX = new float[_gridY.Length];
        _lineY = new float[_gridColumns];
        _lineX = new float[_gridColumns];
    }

    /// <summary>Writes what an image becomes.</summary>
    /// <param name="image">[height, width, channels].</param>
    /// <param name="destination">[height, width, channels], other memory than the image's.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="epoch">0 to below 2^25.</param>
    /// <param name="index">The image's number, from 0.</param>
    public void Apply(ReadOnlySpan<float> image, Span<float> destination, ulong seed, int epoch, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        if (epoch is < 0 or >= 1 << 25)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch, $"An epoch is 0 to {(1 << 25) - 1}.");

        var random = new RandomStream(seed, StreamPurpose.Augmentation, ((ulong)epoch << 31) | (uint)index);
        bool isChanged = random.NextSingle() < _augmentation.Probability;
        double angle = Symmetric(ref random) * _augmentation.Rotation * (Math.PI / 180);
        float scale = 1 + (Symmetric(ref random) * _augmentation.Scale), shear = Symmetric(ref random) * _augmentation.Shear;
        float down = Symmetric(ref random) * _augmentation.Shift, right = Symmetric(ref random) * _augmentation.Shift;
        int cutRow = (int)random.NextBelow((uint)_shape.Height), cutColumn = (int)random.NextBelow((uint)_shape.Width);
        if (!isChanged)
        {
            image.CopyTo(destination);
            return;
        }

        if (_augmentation.Elastic > 0)
            DrawGrid(ref random);

        if (_augmentation is { Rotation: 0, Scale: 0, Shear: 0, Shift: 0, Elastic: 0 })
            image.CopyTo(destination);
        else
            Warp(image, destination, angle, scale, shear, down, right);

        if (_augmentation.CutOut > 0)
            CutOut(destination, cutRow, cutColumn);
    }

    /// <summary>
    /// Turns clockwise by an angle in radians, after sliding rows by the shear, after growing by the scale, all about the middle; then moves down and right.
    /// Every output pixel is taken from where that map came from, and from where the grid moved that.
    /// </summary>
    internal void Warp(ReadOnlySpan<float> image, Span<float> destination, double angle, float scale, float shear, float down, float right)
    {
        // Forward, (x, y) becomes R (k (x + s y), k y); this is the inverse.
        double cos = ScalarFunctions.Cos(angle), sin = ScalarFunctions.Sin(angle), inverse = 1 / (double)scale;
        float yFromY = (float)(cos * inverse), yFromX = (float)(-sin * inverse);
        float xFromY = (float)((sin - (shear * cos)) * inverse), xFromX = (float)((cos + (shear * sin)) * inverse);
        float middleY = (_shape.Height - 1) * 0.5f, middleX = (_shape.Width - 1) * 0.5f;
        int channels = _shape.Channels;
        bool bends = _augmentation.Elastic > 0;
        for (int row = 0; row < _shape.Height; row++)
        {
            if (bends)
                BendLine(row);

            float y = row - middleY - down, lineY = yFromY * y, lineX = xFromY * y;
            Span<float> line = destination.Slice(row * _shape.Width * channels, _shape.Width * channels);
            for (int column = 0; column < _shape.Width; column++)
            {
                float x = column - middleX - right;
                float fromY = lineY + (yFromX * x) + middleY, fromX = lineX + (xFromX * x) + middleX;
                if (bends)
                {
                    Taps taps = _columnTaps[column];
                    int first = _columnOf[column];
                    fromY += taps.Sum(_lineY, first);
                    fromX += taps.Sum(_lineX, first);
                }

                Sample(image, fromY, fromX, line.Slice(column * channels, channels));
            }
        }
    }

    private static float Symmetric(ref RandomStream random) => (2 * random.NextSingle()) - 1;

    /// <summary>For each pixel along an axis, the first of the four grid points that it depends on, and their weights.</summary>
    private static (int[] First, Taps[] Taps) Spline(int length, float spacing)
    {
        int[] first = new int[length];
        var taps = new Taps[length];
        for (int i = 0; i < length; i++)
        {
            float at = i / spacing;
            first[i] = (int)at;
            taps[i] = new(at - first[i]);
        }

        return (first, taps);
    }

    private void DrawGrid(ref RandomStream random)
    {
        for (int i = 0; i < _gridY.Length; i++)
        {
            _gridY[i] = Symmetric(ref random) * _augmentation.Elastic;
            _gridX[i] = Symmetric(ref random) * _augmentation.Elastic;
        }
    }

    /// <summary>Brings the grid down to one row of points for a row of pixels.</summary>
    private void BendLine(int row)
    {
        Taps taps = _rowTaps[row];
        int first = _rowOf[row] * _gridColumns;
        for (int i = 0; i < _gridColumns; i++)
        {
            _lineY[i] = taps.Sum(_gridY, first + i, _gridColumns);
            _lineX[i] = taps.Sum(_gridX, first + i, _gridColumns);
        }
    }

    /// <summary>The value between four pixels; those outside the image have the fill value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Sample(ReadOnlySpan<float> image, float y, float x, Span<float> pixel)
    {
        // What lies beyond the image by a pixel is all fill; the bounds also keep far places within an int.
        if (!(y > -1 && y < _height && x > -1 && x < _width))
        {
            pixel.Fill(_augmentation.Fill);
            return;
        }

        // Adding 1 makes the conversion round down; within the image, the machine's own is everyone's.
        int row = float.ConvertToIntegerNative<int>(y + 1) - 1, column = float.ConvertToIntegerNative<int>(x + 1) - 1;
        float below = y - row, behind = x - column;
        int channels = pixel.Length, at = ((row * _shape.Width) + column) * channels, next = at + (_shape.Width * channels);
        if (row < 0 || column < 0 || row + 1 >= _shape.Height || column + 1 >= _shape.Width)
        {
            SampleAtEdge(image, row, column, below, behind, pixel);
            return;
        }

        for (int c = 0; c < channels; c++)
            pixel[c] = Between(image[at + c], image[at + channels + c], image[next + c], image[next + channels + c], below, behind);
    }

    private void SampleAtEdge(ReadOnlySpan<float> image, int row, int column, float below, float behind, Span<float> pixel)
    {
        // A place just before the far edge may be rounded onto it.
        bool hasRow = (uint)row < (uint)_shape.Height, hasNextRow = row + 1 < _shape.Height, hasColumn = (uint)column < (uint)_shape.Width, hasNextColumn = column + 1 < _shape.Width;
        int channels = pixel.Length, at = ((row * _shape.Width) + column) * channels, next = at + (_shape.Width * channels);
        float fill = _augmentation.Fill;
        for (int c = 0; c < channels; c++)
        {
            pixel[c] = Between(
                hasRow && hasColumn ? image[at + c] : fill, hasRow && hasNextColumn ? image[at + channels + c] : fill,
                hasNextRow && hasColumn ? image[next + c] : fill, hasNextRow && hasNextColumn ? image[next + channels + c] : fill,
                below, behind);
        }
    }

    /// <summary>Bilinear interpolation.</summary>
    private static float Between(float topLeft, float topRight, float bottomLeft, float bottomRight, float below, float behind)
    {
        float top = topLeft + (behind * (topRight - topLeft)), bottom = bottomLeft + (behind * (bottomRight - bottomLeft));
        return top + (below * (bottom - top));
    }

    private void CutOut(Span<float> image, int row, int column)
    {
        int side = _augmentation.CutOut;
        int top = Math.Max(0, row - (side / 2)), bottom = Math.Min(_shape.Height, row - (side / 2) + side);
        int left = Math.Max(0, column - (side / 2)), right = Math.Min(_shape.Width, column - (side / 2) + side);
        for (int r = top; r < bottom; r++)
            image[(((r * _shape.Width) + left) * _shape.Channels)..(((r * _shape.Width) + right) * _shape.Channels)].Fill(_augmentation.Fill);
    }

    /// <summary>A uniform cubic B-spline's four weights at a place between two points.</summary>
    private readonly struct Taps
    {
        private readonly float _w0, _w1, _w2, _w3;

        /// <param name="t">How far behind the second point, 0 to 1.</param>
        public Taps(float t)
        {
            float square = t * t, cube = square * t, rest = 1 - t;
            _w0 = rest * rest * rest / 6;
            _w1 = ((3 * cube) - (6 * square) + 4) / 6;
            _w2 = ((3 * (square + t - cube)) + 1) / 6;
            _w3 = cube / 6;
        }

        public float Sum(float[] values, int first, int stride = 1) =>
            (_w0 * values[first]) + (_w1 * values[first + stride]) + (_w2 * values[first + (2 * stride)]) + (_w3 * values[first + (3 * stride)]);
    }
}
