using System.Globalization;
using NativeConv.Numerics;

namespace NativeConv;

/// <summary>
/// The learning rate over a training, as a factor on the optimizer's own: a pure function of the step, so that one schedule may serve many trainings. What
/// depends on how the training goes is a callback, <see cref="ReduceOnPlateau"/>. A schedule of your own should tell its settings in <see cref="object.ToString"/>:
/// a checkpoint compares them.
/// </summary>
public abstract class LearningRateSchedule
{
    /// <summary>Whether factors depend on how long the whole training is: then a training that goes on from a checkpoint must keep its number of epochs.</summary>
    public virtual bool DependsOnLength => true;

    /// <summary>The factor of a step.</summary>
    public abstract double Factor(SchedulePosition position);

    /// <summary>The factor is multiplied by <paramref name="decay"/> after every so many epochs: decay^⌊epoch / epochs⌋, epochs from 0.</summary>
    /// <param name="epochs">How many epochs a factor lasts, at least 1.</param>
    /// <param name="decay">What each change leaves, above 0, at most 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public static LearningRateSchedule Step(int epochs, double decay = 0.1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epochs);
        return new StepSchedule(epochs, Decay(decay));
    }

    /// <summary>The factor is multiplied by <paramref name="decay"/> after every epoch: decay^epoch, epochs from 0.</summary>
    /// <param name="decay">What each epoch leaves, above 0, at most 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The decay is out of its range.</exception>
    public static LearningRateSchedule Exponential(double decay) => new ExponentialSchedule(Decay(decay));

    /// <summary>
    /// A linear rise over the first steps, then half a cosine from 1 down to <paramref name="final"/> (Loshchilov and Hutter, 2017).
    /// </summary>
    /// <param name="warmUp">The part of all steps that rise, from 0 to below 1.</param>
    /// <param name="final">The factor at the end, 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public static LearningRateSchedule Cosine(double warmUp = 0, double final = 0) => new CosineSchedule(Part(warmUp, nameof(warmUp)), Part(final, nameof(final)));

    /// <summary>
    /// Half a cosine up from <paramref name="initial"/> to 1, then half a cosine down to <paramref name="final"/> at the last step (Smith and Topin, 2018, annealed by
    /// cosines; the peak lies at step rise × steps - 1 as in PyTorch).
    /// </summary>
    /// <param name="rise">The part of all steps that rise, from 0 to below 1.</param>
    /// <param name="initial">The factor at the start, 0 to 1.</param>
    /// <param name="final">The factor at the end, 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public static LearningRateSchedule OneCycle(double rise = 0.3, double initial = 1 / 25.0, double final = 1 / 250_000.0) =>
        new OneCycleSchedule(Part(rise, nameof(rise)), Part(initial, nameof(initial)), Part(final, nameof(final)));

    private static double Part(double value, string parameter) => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be at least 0 and below 1.");

    private static double Decay(double decay) => decay is > 0 and <= 1
        ? decay
        : throw new ArgumentOutOfRangeException(nameof(decay), decay, "The decay must be above 0 and at most 1.");

    /// <summary>Half a cosine from one value to another as the position goes from 0 to 1.</summary>
    private static double Anneal(double from, double to, double position) =>
        to + ((from - to) * 0.5 * (1 + ScalarFunctions.Cos(Math.PI * Math.Clamp(position, 0, 1))));

    private sealed class StepSchedule(int epochs, double decay) : LearningRateSchedule
    {
        public override bool DependsOnLength => false;

        public override double Factor(SchedulePosition position) => ScalarFunctions.Pow(decay, position.Epoch / epochs);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Step(epochs: {epochs}, decay: {decay})");
    }

    private sealed class ExponentialSchedule(double decay) : LearningRateSchedule
    {
        public override bool DependsOnLength => false;

        public override double Factor(SchedulePosition position) => ScalarFunctions.Pow(decay, position.Epoch);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Exponential(decay: {decay})");
    }

    private sealed class CosineSchedule(double warmUp, double final) : LearningRateSchedule
    {
        public override double Factor(SchedulePosition position)
        {
            (long step, long steps, _) = position;
            double rising = warmUp * steps;
            return step < rising ? (step + 1) / (rising + 1) : Anneal(1, final, (step - rising) / Math.Max(1, steps - rising));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Cosine(warmUp: {warmUp}, final: {final})");
    }

    private sealed class OneCycleSchedule(double rise, double initial, double final) : LearningRateSchedule
    {
        public override double Factor(SchedulePosition position)
        {
            (long step, long steps, _) = position;
            double peak = (rise * steps) - 1;
            return step < peak ? Anneal(initial, 1, step / peak) : Anneal(1, final, (step - peak) / (steps - 1 - peak));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"OneCycle(rise: {rise}, initial: {initial}, final: {final})");
    }
}
