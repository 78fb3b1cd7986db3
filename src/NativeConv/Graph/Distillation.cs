using System.Globalization;
using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Knowledge distillation (Hinton et al., 2015): a student learns a teacher's softened probabilities beside the labels. The loss of an image becomes (1 - w) times the
/// training's own loss plus w T² Σ p log(p / q), where p and q are the softmax of the teacher's and the student's outputs over the temperature T. The factor T² keeps the size of
/// the gradients as T grows. The teacher predicts the images that the student trains on, augmented as they are; it is not changed.
/// </summary>
public sealed class Distillation
{
    /// <summary>Sets the teacher and how it is listened to.</summary>
    /// <param name="teacher">A model of the student's input shape and number of outputs, logits. It predicts with its own <see cref="Model.Execution"/>.</param>
    /// <param name="temperature">T: the higher, the more the small probabilities count.</param>
    /// <param name="weight">w: what the teacher counts, from 0 to 1; the labels count the rest.</param>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not above 0 and finite, or the weight is not 0 to 1.</exception>
    public Distillation(Model teacher, float temperature = 4, float weight = 0.9f)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        if (!(temperature > 0) || !float.IsFinite(temperature))
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature must be above 0 and finite.");

        if (weight is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "The teacher's weight must be 0 to 1.");

        Teacher = teacher;
        Temperature = temperature;
        Weight = weight;
    }

    /// <summary>Who is learned from.</summary>
    public Model Teacher { get; }

    /// <summary>What both models' outputs are divided by.</summary>
    public float Temperature { get; }

    /// <summary>What the teacher counts; the labels count the rest.</summary>
    public float Weight { get; }

    /// <summary>The mean over images of T² Σ p log(p / q) alone, and its gradient by the student's outputs.</summary>
    /// <param name="outputs">The student's, [n, classes].</param>
    /// <param name="teacherOutputs">The teacher's, [n, classes].</param>
    /// <param name="gradient">[n, classes], overwritten; empty for none.</param>
    /// <exception cref="ArgumentException">The lengths do not agree.</exception>
    public float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<float> teacherOutputs, Span<float> gradient = default) =>
        Evaluate(outputs, teacherOutputs, gradient, SimdLevels.Default);

    internal unsafe float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<float> teacherOutputs, Span<float> gradient, SimdLevel level)
    {
        int classes = Teacher.OutputShape.Length;
        if (outputs.IsEmpty || outputs.Length % classes != 0)
            throw new ArgumentException($"Outputs must be rows of {classes} values, but there are {outputs.Length} values.", nameof(outputs));

        if (teacherOutputs.Length != outputs.Length)
            throw new ArgumentException($"The teacher's outputs must be {outputs.Length} values like the student's, but are {teacherOutputs.Length}.", nameof(teacherOutputs));

        if (!gradient.IsEmpty && gradient.Length != outputs.Length)
            throw new ArgumentException($"The gradient must hold {outputs.Length} values like the outputs, but holds {gradient.Length}.", nameof(gradient));

        gradient.Clear();
        float[] losses = new float[outputs.Length / classes];
        fixed (float* z = outputs, t = teacherOutputs, l = losses, d = gradient)
            SimdLevels.Dispatch<RowsWork, int>(level, new(z, t, l, d, losses.Length, classes, Temperature));

        return Loss.Mean(losses);
    }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Distillation(temperature: {Temperature}, weight: {Weight})");

    /// <summary>Refuses a student that the teacher cannot teach.</summary>
    internal void RequireStudent(Model student)
    {
        if (student == Teacher)
            throw new ArgumentException("A model cannot be its own teacher: train a clone.", "distillation");

        if (Teacher.InputShape != student.InputShape || Teacher.OutputShape.Length != student.OutputShape.Length)
        {
            throw new ArgumentException(
                $"The teacher must take {student.InputShape} and give {student.OutputShape.Length} outputs as the student does, " +
                $"but takes {Teacher.InputShape} and gives {Teacher.OutputShape.Length}.", "distillation");
        }
    }

    private readonly unsafe struct RowsWork(float* student, float* teacher, float* losses, float* gradient, int rows, int classes, float temperature) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            DistillationKernel.Run<TVector>(student, teacher, losses, gradient, rows, classes, temperature, weight: 1, 1f / rows);
            return rows;
        }
    }
}
