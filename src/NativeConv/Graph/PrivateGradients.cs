using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>
/// The gradients that each chunk of a batch sums for itself, one row a chunk, and their sum in a tree over the chunks. What a program sums by slices, and what is frozen or never trained, has no place here.
/// </summary>
internal sealed unsafe class PrivateGradients
{
    private const int MostChunks = 64;
    private const long MostFloats = 32L * 1024 * 1024 / sizeof(float);

    /// <summary>Floats whose tree is added up at once, so that a range of every chunk's row stays in the second cache.</summary>
    private const int Block = 1024;

    private readonly List<Place> _places = [];
    private readonly AlignedMemory _rows;

    /// <summary>Lays the rows out, and tells each node's parameters where in a row they lie. Without bindings, as where nothing is trained, rows are empty.</summary>
    public PrivateGradients(NodeBinding[] bindings, LayerProgram[] programs, int batchSize)
    {
        long length = 0;
        for (int node = 0; node < bindings.Length; node++)
        {
            ParameterView[] views = bindings[node].Parameters;
            for (int i = 0; i < views.Length; i++)
            {
                if (views[i].Gradient == null || !bindings[node].ParametersTrainable || programs[node].SlicedParameter == i)
                    continue;

                views[i] = views[i].At(checked((int)length));
                int columns = i == 0 && programs[node].IsKernelGradientTransposed ? bindings[node].OutputShape.Channels : 0;
                _places.Add(new(views[i].Gradient, (int)length, views[i].Length, columns, columns == 0 ? 0 : bindings[node].InputShapes[0].Channels));
                length = AlignedMemory.RoundUp(length + views[i].Length);
            }
        }

        RowLength = checked((int)length);
        _rows = new(length * ChunkCount(batchSize));
    }

    /// <summary>Floats of one chunk's gradients.</summary>
    public int RowLength { get; }

    /// <summary>Floats of all rows.</summary>
    public int Length => _rows.Length;

    /// <summary>Chunks that a batch is cut into.</summary>
    public int ChunkCount(int images)
    {
        long most = RowLength == 0 ? MostChunks : Math.Clamp(MostFloats / RowLength, 1, MostChunks);
        return (int)Math.Min(images, most);
    }

    public float* Row(int chunk) => _rows.Pointer + ((nint)chunk * RowLength);

    public void Clear(int chunk) => new Span<float>(Row(chunk), RowLength).Clear();

    /// <summary>One share of adding the chunks' sums to the parameters' gradients: neighbours first, then neighbouring pairs. Overwrites the rows.</summary>
    public void AddTo(BatchOperations operations, Share share, int images)
    {
        (int first, int end) = share.Of(RowLength / AlignedMemory.AlignmentFloats);
        first *= AlignedMemory.AlignmentFloats;
        end *= AlignedMemory.AlignmentFloats;
        int chunks = ChunkCount(images);
        float* sums = stackalloc float[Block];
        foreach (Place place in _places)
        {
            int stop = Math.Min(end, place.Offset + place.Length);
            for (int at = Math.Max(first, place.Offset); at < stop; at += Block)
            {
                int count = Math.Min(Block, stop - at);
                if (place.Columns == 0)
                {
                    operations.AddTree(_rows.Pointer + at, chunks, RowLength, place.Gradient + (at - place.Offset), count);
                    continue;
                }

                new Span<float>(sums, count).Clear();
                operations.AddTree(_rows.Pointer + at, chunks, RowLength, sums, count);
                place.AddTransposed(at - place.Offset, sums, count);
            }
        }
    }

    /// <summary>Where a parameter's gradient lies in a row; and where it is transposed there, what the parameter's columns and rows are, as matrices follow each other.</summary>
    private sealed class Place(float* gradient, int offset, int length, int columns, int rows)
    {
        public float* Gradient => gradient;

        public int Offset => offset;

        public int Length => length;

        public int Columns => columns;

        /// <summary>Adds some values from a place on, which are ordered column by column.</summary>
        public void AddTransposed(int first, float* sums, int count)
        {
            int matrix = first / (columns * rows), column = first / rows % columns, row = first % rows;
            for (int i = 0; i < count; i++)
            {
                gradient[(((nint)matrix * rows) + row) * columns + column] += sums[i];
                if (++row < rows)
                    continue;

                row = 0;
                if (++column == columns)
                    (matrix, column) = (matrix + 1, 0);
            }
        }
    }
}
