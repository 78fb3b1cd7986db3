using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Layers;

/// <summary>Where a node's values lie: one block for the whole batch, or a few images for each worker.</summary>
/// <param name="start">The address of the batch's first image, or of the first worker's first.</param>
/// <param name="imageStride">Floats from an image of the batch to the next.</param>
/// <param name="workerStride">Floats from a worker's images to the next worker's.</param>
/// <param name="unitStride">Floats from an image that a worker carries to the next.</param>
/// <param name="bands">Bands into which an image is cut, where ranges count bands; 1 where they count images.</param>
/// <param name="bandStride">Floats from a band of an image to the next.</param>
internal readonly unsafe struct BufferView(float* start, nint imageStride, nint workerStride, nint unitStride = 0, int bands = 1, nint bandStride = 0)
{
    // Of a view of nothing 0, too.
    private readonly int _otherBands = bands - 1;

    private int Bands => _otherBands + 1;

    /// <summary>The address of the range's first image or band.</summary>
    public float* At(in Work work) => Image(work.First) + (work.Worker * workerStride) + (work.Index / Bands * unitStride);

    /// <summary>The address of one image, or band, of a block for the whole batch.</summary>
    public float* Image(int image) => start + (image / Bands * imageStride) + (image % Bands * bandStride);

    /// <summary>The same memory to a node that counts bands.</summary>
    public BufferView InBands(int count, nint stride) => new(start, imageStride, workerStride, unitStride, count, stride);

    public bool IsNull => start == null;
}

/// <summary>A range of images, and what the worker who takes it may use.</summary>
internal readonly unsafe struct Work(int first, int count, int worker, float* scratch, float* gradients, int index = 0, FetchQueue* ahead = null)
{
    public int First => first;

    /// <summary>The first image's place among all that the worker has taken.</summary>
    public int Index => index;

    public int Count => count;

    public int Worker => worker;

    /// <summary>Some of the images.</summary>
    public Work Part(int start, int length) => new(first + start, length, worker, scratch, gradients, index + start, ahead);

    /// <summary>The same images, each as so many bands.</summary>
    public Work InBands(int bands) => new(first * bands, count * bands, worker, scratch, gradients, index * bands, ahead);

    /// <summary>The same images, with memory to ask for meanwhile.</summary>
    public Work WithAhead(FetchQueue* queue) => new(first, count, worker, scratch, gradients, index, queue);

    /// <summary>The worker's own scratch.</summary>
    public float* Scratch => scratch;

    /// <summary>Memory that is needed after these images; null where nothing is asked for.</summary>
    public FetchQueue* Ahead => ahead;

    /// <summary>The private gradients of the chunk that the images belong to.</summary>
    public float* Gradients => gradients;
}

/// <summary>A parameter as a program sees it.</summary>
internal readonly unsafe struct ParameterView(float* value, float* gradient, int length, int privateOffset = 0)
{
    public int Length => length;

    public float* Value => value;

    /// <summary>The whole step's gradient; null for what is never trained.</summary>
    public float* Gradient => gradient;

    /// <summary>Where a chunk's private gradients hold this parameter's.</summary>
    public float* Private(in Work work) => work.Gradients + privateOffset;

    /// <inheritdoc cref="Private(in Work)"/>
    public float* Private(float* gradients) => gradients + privateOffset;

    /// <summary>The same parameter with its place among a chunk's private gradients.</summary>
    public ParameterView At(int offset) => new(value, gradient, length, offset);
}

/// <summary>A node bound to one plan: shapes, buffers, parameters. The plan fills in the views after it has placed the buffers.</summary>
internal sealed class NodeBinding
{
    public required ImageShape[] InputShapes { get; set; }

    public required ImageShape OutputShape { get; set; }

    /// <summary>Bands of rows that the node takes for images of their own: shapes are a band's, and ranges and the batch count bands. 1 where images are whole.</summary>
    public int Bands { get; private set; } = 1;

    /// <summary>The most images a step has.</summary>
    public required int BatchSize { get; set; }

    /// <summary>Whether this is a training step: dropout drops, normalization uses the batch.</summary>
    public required bool Training { get; init; }

    /// <summary>Whether a backward pass runs through the node.</summary>
    public required bool HasBackward { get; init; }

    /// <summary>Numbers the node, so that its random numbers are its own.</summary>
    public required int NodeIndex { get; init; }

    /// <summary>Whether most of the output's gradient is zero, because it came back through a max-pooling.</summary>
    public bool IsGradientSparse { get; set; }

    /// <summary>What the program applies to its output in place of the activation node that follows, which then does nothing.</summary>
    public Activation FusedActivation { get; set; } = Activation.Linear;

    /// <summary>The fused activation whose backward the program does: its own, or a pooling the one of the convolution before.</summary>
    public Activation BackwardActivation { get; set; } = Activation.Linear;

    /// <summary>The max-pooling behind the node whose gradient the program takes in place of its own output's, with <see cref="Winners"/>; null for none.</summary>
    public NodeBinding? Pooling { get; set; }

    /// <summary>Whether the node does the pooling, too: what it gives is as large as the pooling's output.</summary>
    public bool PoolsItself { get; set; }

    /// <summary>What a pooling's node does where the node before pools; null where it pools. The program of the node before, which is made first, gives it.</summary>
    public LayerProgram? ProgramInPlace { get; set; }

    /// <summary>Whether the node before takes this node's gradient as it is.</summary>
    public bool IsGradientHandedOn { get; set; }

    /// <summary>A max-pooling's winners, a byte each, for the whole batch: what backward needs instead of x and y.</summary>
    public AlignedMemory? Winners { get; set; }

    /// <summary>An image's winners; null where there are none.</summary>
    public unsafe byte* WinnersOf(int image) => Winners == null ? null : (byte*)Winners.Pointer + ((nint)image * OutputShape.Length);

    /// <summary>Whether the node before does this node's work.</summary>
    public bool IsFusedAway { get; set; }

    public BufferView[] Inputs { get; set; } = [];

    public BufferView Output { get; set; }

    public BufferView OutputGradient { get; set; }

    /// <summary>Where the inputs' gradients go; null views where nothing needs them.</summary>
    public BufferView[] InputGradients { get; set; } = [];

    public ParameterView[] Parameters { get; set; } = [];

    /// <summary>Whether a training step changes the parameters: there are some, and they are not frozen.</summary>
    public required bool ParametersTrainable { get; init; }

    /// <summary>Makes images of so many bands of rows, before there is a program.</summary>
    public void CutIntoBands(int bands)
    {
        (Bands, BatchSize) = (bands, checked(BatchSize * bands));
        OutputShape = Band(OutputShape);
        InputShapes = [.. InputShapes.Select(Band)];

        ImageShape Band(ImageShape shape) => new(shape.Height / bands, shape.Width, shape.Channels);
    }
}

/// <summary>What of a node's values its backward reads; the plan keeps the rest no longer than the forward needs.</summary>
[Flags]
internal enum BackwardReads
{
    None = 0,
    Inputs = 1,
    Output = 2,
}

/// <summary>
/// A layer bound to a plan: what it does to ranges of images. Phases of one pass are separated by barriers, at which the
/// program sees the whole batch. Results are overwritten; private parameter gradients are added to. Nothing here allocates.
/// </summary>
internal abstract unsafe class LayerProgram
{
    /// <summary>Floats of scratch that a worker lends.</summary>
    public virtual int ScratchLength => 0;

    public virtual BackwardReads BackwardReads => BackwardReads.None;

    /// <summary>The part of it that a phase reads.</summary>
    public virtual BackwardReads BackwardReadsIn(int phase) => BackwardReads;

    public virtual int ForwardPhases => 1;

    public virtual int BackwardPhases => 1;

    /// <summary>Whether the output is the input under another shape, so that both share one buffer.</summary>
    public virtual bool IsAlias => false;

    /// <summary>Whether the last forward phase gives the same output again later in the step, from the same inputs, for less than keeping it would cost.</summary>
    public virtual bool CanRunForwardAgain => false;

    /// <summary>Whether the backward pass may run twice: it has one phase and no parameters, and costs less than keeping what it writes.</summary>
    public virtual bool CanRunBackwardAgain => false;

    /// <summary>
    /// Input rows that an output row reads and no other does; 0 where neighbours share rows. Such a program can follow another that computes the rows just before, while they
    /// are in a cache.
    /// </summary>
    public virtual int OwnRows => 0;

    /// <summary>Whether <see cref="ForwardRows"/> may be used.</summary>
    public virtual bool CanRunRows => OwnRows > 0;

    /// <summary>
    /// Images that should share one reading of the weights, where these are much more than an image; 1 where that does not matter. A program of more has one phase either way, and a backward in two parts:
    /// <see cref="Backward"/> adds the parameters' gradients, a chunk at a time, and <see cref="BackwardInputs"/> writes the inputs'.
    /// </summary>
    public virtual int ImagesTogether => 1;

    /// <summary>The inputs' gradients, where <see cref="ImagesTogether"/> is more than 1.</summary>
    public virtual void BackwardInputs(in Work work) => throw new NotSupportedException();

    /// <summary>A program whose <see cref="ForwardRows"/> gives the rows of the 2x2 max-pooling that covers the output, which is written nowhere; null where there is none.</summary>
    public virtual LayerProgram? WithPooling(NodeBinding pooling) => null;

    /// <summary>Whether it asks for <see cref="Work.Ahead"/> while it computes.</summary>
    public virtual bool CanAsk => false;

    /// <summary>Whether its output may be where its input is.</summary>
    public virtual bool CanRunInPlace => false;

    /// <summary>Before anything else in a step, once for each of <see cref="PrepareShares"/>, side by side: pack a share of the weights. Seed and step number what is random in the step.</summary>
    public virtual void Prepare(ulong seed, long step, Share share)
    {
    }

    /// <summary>Into how many shares <see cref="Prepare"/> is worth cutting.</summary>
    public virtual int PrepareShares => 1;

    /// <summary>The same where so many weights are packed: a share takes some microseconds.</summary>
    protected static int PrepareSharesOf(int weights) => Math.Clamp(weights / (16 * 1024), 1, 16);

    /// <summary>One phase of the forward pass. The last one alone writes the output.</summary>
    public abstract void Forward(int phase, in Work work);

    /// <summary>
    /// Some rows of one image's output: <paramref name="first"/> up to <paramref name="end"/>. The addresses are where the image's first rows would lie; what is not read or
    /// written need not exist. For a forward pass of one phase.
    /// </summary>
    public virtual void ForwardRows(int image, float* x, float* y, int first, int end) => throw new NotSupportedException();

    /// <summary>Whether <see cref="ForwardRows"/> and <see cref="BackwardBand"/> may be used for one band after another of an image.</summary>
    public virtual bool CanRunBands => false;

    /// <summary>A band of rows of one image's backward pass: of the input's gradient, and what the same band of the output's adds to the parameters'. What rows beside the band it needs are there.</summary>
    public virtual void BackwardBand(in Work work, Share band) => throw new NotSupportedException();

    /// <summary>Between forward phase <paramref name="phase"/> and the one before, with every image's part done.</summary>
    public virtual void ForwardBarrier(int phase, int images)
    {
    }

    /// <summary>One phase of the backward pass. The last one alone writes the inputs' gradients.</summary>
    public abstract void Backward(int phase, in Work work);

    /// <summary>Between backward phase <paramref name="phase"/> and the one before. Parameter gradients known here go to the first chunk's.</summary>
    public virtual void BackwardBarrier(int phase, int images, float* firstGradients)
    {
    }

    /// <summary>Whether the private gradient of the first parameter, a kernel [kh, kw, a, b], is [kh, kw, b, a].</summary>
    public virtual bool IsKernelGradientTransposed => false;

    /// <summary>Slices of a parameter gradient that is summed over the whole batch after the last stage, instead of privately.</summary>
    public virtual int GradientSlices => 0;

    /// <summary>Adds one slice of the gradient, over all images in order.</summary>
    public virtual void AddGradientSlice(int slice, int images)
    {
    }

    /// <summary>Which of the node's parameters <see cref="AddGradientSlice"/> covers; -1 for none.</summary>
    public virtual int SlicedParameter => -1;
}
