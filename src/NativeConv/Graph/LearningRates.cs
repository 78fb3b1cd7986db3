using System.Globalization;

namespace NativeConv.Graph;

/// <summary>What each parameter's learning rate is multiplied by, from patterns of names.</summary>
internal static class LearningRates
{
    /// <summary>The factor of each trained parameter, in the store's order.</summary>
    /// <exception cref="ArgumentException">A pattern names nothing, or a factor is negative or not finite.</exception>
    public static float[] Factors(ParameterStore store, IReadOnlyList<(string Pattern, float Factor)> patterns)
    {
        string[] names = [.. store.Trained.Select(place => place.Parameter.Name)];
        string[] layers = [.. names.Select(name => name[..name.LastIndexOf('.')])];
        float[] factors = new float[names.Length];
        factors.AsSpan().Fill(1);
        foreach ((string pattern, float factor) in patterns)
        {
            if (!(factor >= 0) || !float.IsFinite(factor))
                throw new ArgumentException($"A factor on the learning rate must be finite and not negative, but '{pattern}' has {factor}.", nameof(patterns));

            bool isFound = false;
            for (int i = 0; i < names.Length; i++)
            {
                if (!NamePattern.Matches(pattern, layers[i]) && !NamePattern.Matches(pattern, names[i]))
                    continue;

                factors[i] = factor;
                isFound = true;
            }

            if (!isFound)
            {
                throw new ArgumentException(
                    $"No layer with parameters, and no trained parameter, is named '{pattern}'; there are {string.Join(", ", layers.Distinct())}.", nameof(patterns));
            }
        }

        return factors;
    }

    /// <summary>The patterns in words.</summary>
    public static string Describe(IReadOnlyList<(string Pattern, float Factor)> patterns) =>
        string.Join(", ", patterns.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Pattern}: {entry.Factor}")));
}
