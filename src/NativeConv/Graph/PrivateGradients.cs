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

    private readonly List<(int Offset, int Length)> _places = [];
    private readonly List<ParameterView> _parameters = [];
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
                _places.Add(((int)length, views[i].Length));
                _parameters.Add(views[i]);
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
        for (int i = 0; i < _places.Count; i++)
        {
            (int offset, int length) = _places[i];
            int stop = Math.Min(end, offset + length);
            for (int at = Math.Max(first, offset); at < stop; at += Block)
                operations.AddTree(_rows.Pointer + at, chunks, RowLength, _parameters[i].Gradient + (at - offset), Math.Min(Block, stop - at));
        }
    }
}
