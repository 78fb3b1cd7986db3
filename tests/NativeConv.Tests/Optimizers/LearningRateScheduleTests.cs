using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Optimizers;

/// <summary>Learning rates as PyTorch 1.13 gives them in float64 (torch.optim.lr_scheduler, base learning rate 1), stepped as the comments say.</summary>
public sealed class LearningRateScheduleTests
{
    private const int StepsPerEpoch = 3;

    [Fact]
    public void Step_OverEpochs_IsPyTorchs() =>
        // StepLR(step_size=3, gamma=0.3)
        Epochs(LearningRateSchedule.Step(3, 0.3), [1.0, 1.0, 1.0, 0.3, 0.3, 0.3, 0.09, 0.09, 0.09, 0.027]);

    [Fact]
    public void Exponential_OverEpochs_IsPyTorchs() =>
        // ExponentialLR(gamma=0.85)
        Epochs(
            LearningRateSchedule.Exponential(0.85),
            [1.0, 0.85, 0.7224999999999999, 0.6141249999999999, 0.5220062499999999, 0.4437053124999999, 0.3771495156249999, 0.32057708828124987]);

    [Fact]
    public void Cosine_OverSteps_IsPyTorchs() =>
        // CosineAnnealingLR(T_max=10, eta_min=0.01)
        Steps(
            LearningRateSchedule.Cosine(final: 0.01),
            [
                1.0, 0.9757729755661011, 0.905463412215599, 0.7959536998847743, 0.6579634122155991, 0.505, 0.35203658778440106, 0.21404630011522585,
                0.10453658778440106, 0.034227024433899,
            ]);

    [Fact]
    public void CosineWithWarmUp_OverSteps_IsPyTorchs() =>
        // SequentialLR([LinearLR(start_factor=1/6, total_iters=5), CosineAnnealingLR(T_max=15, eta_min=0.02)], milestones=[5])
        Steps(
            LearningRateSchedule.Cosine(warmUp: 0.25, final: 0.02),
            [
                0.16666666666666666, 0.3333333333333333, 0.5, 0.6666666666666667, 0.8333333333333335, 1.0, 0.9892923243595648, 0.9576372742448744,
                0.9064183272437243, 0.8378739971158405, 0.755, 0.6614183272437243, 0.5612189470011503, 0.4587810529988499, 0.35858167275627584,
                0.2650000000000001, 0.18212600288415962, 0.1135816727562758, 0.062362725755125525, 0.030707675640435216,
            ]);

    [Fact]
    public void OneCycle_OverSteps_IsPyTorchs()
    {
        // OneCycleLR(max_lr=1, total_steps=20)
        Steps(
            LearningRateSchedule.OneCycle(),
            [
                0.040000000000000036, 0.1316718427000253, 0.3716718427000253, 0.6683281572999747, 0.9083281572999747, 1.0, 0.9874640062350873,
                0.9504846320134737, 0.89091617757105, 0.8117456539497631, 0.7169430017913008, 0.6112620219362893, 0.500002, 0.38874197806371075,
                0.28306099820869923, 0.18825834605023697, 0.10908782242895004, 0.049519367986526286, 0.012539993764912554, 4e-06,
            ]);

        // OneCycleLR(max_lr=1, total_steps=11, pct_start=0.45, div_factor=10, final_div_factor=100): the peak lies between two steps
        Steps(
            LearningRateSchedule.OneCycle(rise: 0.45, initial: 0.1, final: 0.001),
            [
                0.09999999999999998, 0.2349810664437585, 0.5589469844492815, 0.8775454646662721, 0.9998316511691046, 0.9275751937775361, 0.7427254182010713,
                0.4940157791126336, 0.24701562808669553, 0.06684363041072743, 0.001,
            ]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void OneCycle_OneStep_IsFinite(double rise) =>
        LearningRateSchedule.OneCycle(rise).Factor(new(0, 1, 1)).Should().BeInRange(0, 1);

    [Fact]
    public void DependsOnLength_Schedules_SayWhetherTheyDo()
    {
        LearningRateSchedule.Step(1).DependsOnLength.Should().BeFalse();
        LearningRateSchedule.Exponential(0.9).DependsOnLength.Should().BeFalse();
        LearningRateSchedule.Cosine().DependsOnLength.Should().BeTrue();
        LearningRateSchedule.OneCycle().DependsOnLength.Should().BeTrue();
    }

    [Fact]
    public void Schedules_ValuesOutOfRange_AreRefusedByName()
    {
        Refused(() => LearningRateSchedule.Step(0), "epochs");
        Refused(() => LearningRateSchedule.Step(1, 0), "decay");
        Refused(() => LearningRateSchedule.Exponential(1.1), "decay");
        Refused(() => LearningRateSchedule.Exponential(double.NaN), "decay");
        Refused(() => LearningRateSchedule.Cosine(1), "warmUp");
        Refused(() => LearningRateSchedule.OneCycle(final: -0.1), "final");
    }

    private static void Refused(Func<LearningRateSchedule> create, string parameter) =>
        create.Should().Throw<ArgumentOutOfRangeException>().WithParameterName(parameter);

    private static void Steps(LearningRateSchedule schedule, double[] expected)
    {
        for (int step = 0; step < expected.Length; step++)
            schedule.Factor(new(step, expected.Length, StepsPerEpoch)).Should().BeApproximately(expected[step], 1e-12, "step {0}", step);
    }

    private static void Epochs(LearningRateSchedule schedule, double[] expected)
    {
        long steps = (long)expected.Length * StepsPerEpoch;
        for (int step = 0; step < steps; step++)
            schedule.Factor(new(step, steps, StepsPerEpoch)).Should().BeApproximately(expected[step / StepsPerEpoch], 1e-12, "step {0}", step);
    }
}
