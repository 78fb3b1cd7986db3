using System.Globalization;
using NativeConv.Numerics;
using NativeConv.Random;

namespace NativeConv;

/// <summary>
/// Random search (Bergstra and Bengio, 2012) with successive halving (Jamieson and Talwalkar, 2016): all trials are trained briefly, the better half for twice as long, and so on
/// until two are left, which are trained for all epochs. Each training starts anew, so that a schedule of learning rates always runs to its end.
/// Which settings are tried depends on the space, the seed and a trial's number alone.
/// </summary>
public sealed class HyperparameterSearch
{
    private readonly int _epochs;

    /// <summary>Draws the settings.</summary>
    /// <param name="space">What to draw from.</param>
    /// <param name="trials">How many settings to try.</param>
    /// <param name="epochs">The epochs of the longest trainings.</param>
    /// <param name="seed">Another seed, other settings.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no trial or no epoch.</exception>
    /// <exception cref="ArgumentException">The lowest learning rate is above the highest.</exception>
    public HyperparameterSearch(SearchSpace space, int trials, int epochs, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        if (space.LowestLearningRate > space.HighestLearningRate)
            throw new ArgumentException($"The lowest learning rate, {space.LowestLearningRate}, is above the highest, {space.HighestLearningRate}.", nameof(space));

        _epochs = epochs;
        Settings = [.. Enumerable.Range(1, trials).Select(number => Draw(space, number, seed))];
    }

    /// <summary>What is tried, in order of the trials' numbers.</summary>
    public IReadOnlyList<SearchSettings> Settings { get; }

    /// <summary>Trains and compares: a higher accuracy is better, then a lower loss, then the lower number. A training whose loss is not finite is the worst.</summary>
    /// <param name="train">Trains with some settings for so many epochs, and gives the figures on images that are neither trained on nor tests.</param>
    /// <param name="progress">Told of every training.</param>
    /// <param name="cancellationToken">Asked before every training.</param>
    /// <returns>Every trial with its longest training: the winner first, and a trial that was trained for longer before one that was not.</returns>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    public IReadOnlyList<SearchTrial> Run(
        Func<SearchSettings, int, Evaluation> train, IProgress<SearchTrial>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        int halvings = 0;
        for (int left = Settings.Count; left > 2; left = Half(left))
            halvings++;

        List<SearchTrial> trials = [.. Settings.Select(settings => new SearchTrial(settings, 0, null))];
        int survivors = trials.Count;
        for (; halvings >= 0; halvings--, survivors = Half(survivors))
        {
            int epochs = (int)Math.Ceiling(Math.ScaleB(_epochs, -halvings));
            for (int i = 0; i < survivors; i++)
            {
                // What would train no longer than before keeps its figures.
                if (trials[i].Epochs == epochs)
                    continue;

                cancellationToken.ThrowIfCancellationRequested();
                trials[i] = new(trials[i].Settings, epochs, Train(train, trials[i].Settings, epochs));
                progress?.Report(trials[i]);
            }

            trials.Sort(0, survivors, Comparer<SearchTrial>.Create(Compare));
        }

        return trials;
    }

    private static int Half(int count) => (count + 1) / 2;

    private static Evaluation? Train(Func<SearchSettings, int, Evaluation> train, SearchSettings settings, int epochs)
    {
        try
        {
            return train(settings, epochs);
        }
        catch (NonFiniteException)
        {
            return null;
        }
    }

    private static int Compare(SearchTrial a, SearchTrial b)
    {
        int byAccuracy = (b.HeldOut?.Accuracy ?? -1).CompareTo(a.HeldOut?.Accuracy ?? -1);
        int byLoss = (a.HeldOut?.Loss ?? 0).CompareTo(b.HeldOut?.Loss ?? 0);
        return byAccuracy != 0 ? byAccuracy : byLoss != 0 ? byLoss : a.Settings.Number.CompareTo(b.Settings.Number);
    }

    private static SearchSettings Draw(SearchSpace space, int number, ulong seed)
    {
        var random = new RandomStream(seed, StreamPurpose.Search, (ulong)number);
        double lowest = space.LowestLearningRate, range = ScalarFunctions.Log(space.HighestLearningRate / lowest);
        double rate = lowest * ScalarFunctions.Exp(random.NextDouble() * range);

        // Three digits are enough, and can be written down.
        float rounded = float.Parse(rate.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return new(
            number, Math.Clamp(rounded, space.LowestLearningRate, space.HighestLearningRate),
            space.BatchSizes[(int)random.NextBelow((uint)space.BatchSizes.Count)], space.Widths[(int)random.NextBelow((uint)space.Widths.Count)]);
    }
}
