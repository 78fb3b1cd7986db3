using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>A loss bound to a plan: writes each image's loss and the gradient of the mean over the step, and counts right answers.</summary>
internal abstract unsafe class LossProgram(int classes, int batchSize, bool hasTeacher)
{
    private readonly AlignedMemory _teacherOutputs = new(hasTeacher ? (long)classes * batchSize : 0);
    private readonly AlignedMemory _losses = new(batchSize);
    private readonly int[] _labels = GC.AllocateArray<int>(batchSize, pinned: true);
    private readonly bool[] _right = new bool[batchSize];

    protected int Classes => classes;

    /// <summary>The labels of the batch to come.</summary>
    public Span<int> Labels => _labels;

    /// <summary>What the teacher says of the batch to come, where there is one.</summary>
    public Span<float> TeacherOutputs => _teacherOutputs.Span;

    /// <summary>Images of the whole step, over which the mean is taken; a run may be a part of it.</summary>
    public int StepImages { get; set; } = batchSize;

    /// <summary>Computes a range of images. The gradient may be null.</summary>
    public void Run(float* logits, float* gradient, int first, int count)
    {
        fixed (int* labels = _labels)
            Run(logits, _teacherOutputs.Pointer + ((nint)first * classes), labels + first, _losses.Pointer + first, gradient, count, 1f / StepImages);

        for (int image = 0; image < count; image++)
        {
            var row = new ReadOnlySpan<float>(logits + ((nint)image * classes), classes);
            _right[first + image] = Largest(row) == _labels[first + image];
        }
    }

    /// <summary>The mean loss of the batch.</summary>
    public float Mean(int images) => Loss.Mean(_losses.Span[..images]);

    /// <summary>How many images' largest logit was their label's.</summary>
    public int CountRight(int images) => _right.AsSpan(0, images).Count(true);

    protected abstract void Run(float* logits, float* teacher, int* labels, float* losses, float* gradient, int count, float scale);

    /// <summary>The index of the largest value; the first of equals.</summary>
    public static int Largest(ReadOnlySpan<float> row)
    {
        int largest = 0;
        for (int i = 1; i < row.Length; i++)
        {
            if (row[i] > row[largest])
                largest = i;
        }

        return largest;
    }
}

/// <inheritdoc cref="LossProgram"/>
internal sealed unsafe class LossProgram<TVector>(Loss loss, Distillation? distillation, int classes, int batchSize)
    : LossProgram(classes, batchSize, distillation != null)
    where TVector : struct, IVector<TVector>
{
    protected override void Run(float* logits, float* teacher, int* labels, float* losses, float* gradient, int count, float scale)
    {
        float rest = 1 - (distillation?.Weight ?? 0);
        loss.Run<TVector>(logits, labels, losses, gradient, count, Classes, scale * rest);
        if (distillation == null)
            return;

        for (int image = 0; image < count; image++)
            losses[image] *= rest;

        DistillationKernel.Run<TVector>(logits, teacher, losses, gradient, count, Classes, distillation.Temperature, distillation.Weight, scale);
    }
}
