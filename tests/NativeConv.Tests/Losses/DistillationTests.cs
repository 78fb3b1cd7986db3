using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Losses;

public sealed class DistillationTests
{
    private const int Batch = 20, Classes = 5;

    [Theory]
    [InlineData(2, 1)]
    [InlineData(10, 4)]
    [InlineData(17, 0.5)]
    [InlineData(130, 2.5)]
    public void Evaluate_AnyLevel_IsTheOraclesLossAndGradient(int classes, float temperature)
    {
        const int Rows = 7;
        float[] student = TestData.Uniform(Rows * classes, 1, -6, 6), teacher = TestData.Uniform(Rows * classes, 2, -6, 6), gradient = new float[student.Length];
        double expected = LayerOracle.Distillation(TestData.ToDouble(student), TestData.ToDouble(teacher), classes, temperature);
        float[]? first = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            var distillation = new Distillation(Teacher(classes), temperature);
            gradient.AsSpan().Fill(float.NaN);
            ((double)distillation.Evaluate(student, teacher, gradient, level)).Should().BeApproximately(expected, 2e-6 * expected);
            GradientCheck.Verify(
                z => LayerOracle.Distillation(z, TestData.ToDouble(teacher), classes, temperature), student, gradient, entries: 40, name: $"{level}");
            if (SimdLevels.HasFusedMultiplyAdd)
                gradient.Should().Equal(first ??= [.. gradient], level.ToString());
        }
    }

    [Fact]
    public void Evaluate_EqualOutputs_IsZero()
    {
        float[] outputs = TestData.Uniform(6 * Classes, 1, -30, 30), gradient = new float[outputs.Length];
        new Distillation(Teacher(Classes)).Evaluate(outputs, outputs, gradient).Should().BeApproximately(0, 1e-5f);
        gradient.Should().OnlyContain(value => value == 0);
    }

    [Fact]
    public void Evaluate_LargeLogits_StaysFinite()
    {
        float[] student = [1e30f, -1e30f, 0, 3e38f, 3e38f, -3e38f], teacher = [5, 5, -9, -3e38f, 1, 3e38f], gradient = new float[6];
        var distillation = new Distillation(Teacher(3), temperature: 1);
        distillation.Evaluate(student, teacher, gradient).Should().BePositive();
        gradient.Should().OnlyContain(value => float.IsFinite(value) && Math.Abs(value) <= 0.5f);
        gradient[4].Should().Be(0.25f);
        gradient[5].Should().Be(-0.5f);
    }

    /// <summary>A step's gradient is that of (1 - w) times the labels' loss and w times the teacher's.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(1)]
    public void Step_WithATeacher_IsTheMixByHand(float weight)
    {
        Model student = Student(1), byHand = student.Clone(), teacher = Teacher(Classes);
        float[] images = TestData.Uniform(Batch * student.InputShape.Length, 1), y = new float[Batch * Classes], t = new float[y.Length];
        int[] labels = TestData.Labels(Batch, Classes, 2);
        var distillation = new Distillation(teacher, temperature: 3, weight);
        Loss loss = Loss.SoftmaxCrossEntropy(0.1f, [1, 2, 0.5f, 1, 1]);
        float[] hard = new float[y.Length], soft = new float[y.Length];
        byHand.Forward(images, y);
        teacher.Predict(images, t);
        float expected = ((1 - weight) * loss.Evaluate(y, labels, hard)) + (weight * distillation.Evaluate(y, t, soft));
        byHand.Backward([.. hard.Zip(soft, (a, b) => ((1 - weight) * a) + (weight * b))]);
        byHand.Step(new Sgd(1));
        StepResult result = student.BeginTraining(loss, new Sgd(1), Batch, distillation: distillation).Step(images, labels);
        result.Loss.Should().BeApproximately(expected, 1e-5f * expected);
        foreach (Parameter parameter in student.Parameters)
        {
            foreach ((float a, float b) in parameter.Value.Span.ToArray().Zip(byHand.Parameter(parameter.Name).Value.Span.ToArray()))
                a.Should().BeApproximately(b, 2e-6f, parameter.Name);
        }
    }

    [Fact]
    public void Step_WithoutWeight_GivesTheBitsOfNoTeacher()
    {
        Model Train(Distillation? distillation)
        {
            Model model = Student(1);
            Steps(model, distillation, threads: 2);
            return model;
        }

        Values(Train(new(Teacher(Classes), weight: 0))).Should().Equal(Values(Train(null)));
    }

    [Fact]
    public void Steps_AnyThreads_GiveTheSameBits()
    {
        float[][] all = [.. new[] { 1, 2, 3, 8 }.Select(threads =>
        {
            Model model = Student(1), teacher = Teacher(Classes);
            teacher.Execution = new() { ThreadCount = 9 - threads };
            float[] before = Values(teacher);
            Steps(model, new(teacher), threads);
            Values(teacher).Should().Equal(before, "a teacher does not learn");
            return Values(model);
        })];
        all.Should().AllSatisfy(weights => weights.Should().Equal(all[0]));
    }

    [Fact]
    public void Step_InParts_IsTheWholeBatchs()
    {
        Model whole = Student(1), parts = whole.Clone();
        Steps(whole, new(Teacher(Classes)), threads: 2);
        Steps(parts, new(Teacher(Classes)), threads: 2, microBatch: 7);
        foreach ((float a, float b) in Values(parts).Zip(Values(whole)))
            a.Should().BeApproximately(b, 1e-5f);
    }

    /// <summary>Wrong labels, but a teacher that counts alone: the student says what the teacher does.</summary>
    [Fact]
    public void Fit_WithATeacher_LearnsWhatTheTeacherSays()
    {
        Model teacher = Digits(1), student = Digits(2);
        Dataset train = DrawnDigits.Create(300, 1), test = DrawnDigits.Create(200, 2);
        teacher.Fit(train, null, new() { Epochs = 10, BatchSize = 20, Optimizer = new Adam(0.01f) });
        var mislabelled = Dataset.From(train.Pixels, train.Shape, Array.ConvertAll(train.Labels.ToArray(), label => (label + 1) % 10), train.ClassNames);
        student.Fit(mislabelled, null, new() { Epochs = 10, BatchSize = 20, Optimizer = new Adam(0.01f), Distillation = new(teacher, weight: 1) });
        double expected = teacher.Evaluate(test).Accuracy;
        expected.Should().BeGreaterThan(0.7);
        student.Evaluate(test).Accuracy.Should().BeGreaterThan(expected - 0.15);
    }

    [Fact]
    public void Settings_OutOfRange_AreNamed()
    {
        Model teacher = Teacher(Classes);
        foreach ((float temperature, float weight, string name) in (ReadOnlySpan<(float, float, string)>)
            [(0, 0.5f, "temperature"), (-1, 0.5f, "temperature"), (float.NaN, 0.5f, "temperature"), (float.PositiveInfinity, 0.5f, "temperature"),
             (1, -0.1f, "weight"), (1, 1.1f, "weight"), (1, float.NaN, "weight")])
        {
            Action make = () => _ = new Distillation(teacher, temperature, weight);
            make.Should().Throw<ArgumentOutOfRangeException>().WithParameterName(name);
        }
    }

    [Fact]
    public void Teacher_ThatDoesNotFit_IsRefused()
    {
        Model student = Student(1);
        void Refused(Model teacher, string message)
        {
            Action begin = () => student.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 4, distillation: new(teacher));
            begin.Should().Throw<ArgumentException>().WithParameterName("distillation").WithMessage(message);
        }

        Refused(student, "*its own teacher*");
        Refused(Teacher(Classes + 1), "*6x6x2 and give 5 outputs*but takes 6x6x2 and gives 6*");
        Refused(new ModelBuilder(6, 6, 1).Dense(Classes).Build(), "*6x6x2*but takes 6x6x1*");
        var distillation = new Distillation(Teacher(Classes));
        Action outputs = () => distillation.Evaluate(new float[7], new float[7]), teacher = () => distillation.Evaluate(new float[5], new float[10]);
        outputs.Should().Throw<ArgumentException>().WithParameterName("outputs");
        teacher.Should().Throw<ArgumentException>().WithParameterName("teacherOutputs");
        Action gradient = () => distillation.Evaluate(new float[5], new float[5], new float[4]);
        gradient.Should().Throw<ArgumentException>().WithParameterName("gradient");
    }

    private static void Steps(Model model, Distillation? distillation, int threads, int? microBatch = null)
    {
        model.Execution = new() { ThreadCount = threads };
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(0.1f), Batch, microBatchSize: microBatch, distillation: distillation);
        for (int step = 0; step < 6; step++)
            session.Step(TestData.Uniform((Batch - step) * model.InputShape.Length, (ulong)step), TestData.Labels(Batch - step, Classes, 2));
    }

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];

    private static Model Student(ulong seed) => new ModelBuilder(6, 6, 2).Conv2D(4, 3, activation: Activation.Tanh).Flatten().Dense(Classes).Build(seed);

    private static Model Teacher(int classes) => new ModelBuilder(6, 6, 2).Conv2D(8, 3, activation: Activation.Tanh).Flatten().Dense(classes).Build(9);

    private static Model Digits(ulong seed) => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255)
        .Conv2D(8, 3, stride: 3, activation: Activation.ReLU).Flatten().Dense(10).Build(seed);
}
