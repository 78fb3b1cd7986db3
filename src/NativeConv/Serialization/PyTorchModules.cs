using System.Text.RegularExpressions;

namespace NativeConv.Serialization;

/// <summary>Finds the modules in the names of a <c>state_dict</c>, and which layer each belongs to.</summary>
internal static partial class PyTorchModules
{
    /// <summary>The tensor that holds what a parameter is for.</summary>
    public static string TensorOf(string module, ParameterRole role)
    {
        string name = role switch
        {
            ParameterRole.Kernel or ParameterRole.Gamma => "weight",
            ParameterRole.Bias or ParameterRole.Beta => "bias",
            ParameterRole.RunningMean => "running_mean",
            _ => "running_var",
        };
        return module.Length == 0 ? name : $"{module}.{name}";
    }

    /// <summary>The module of each layer, by the number of dimensions of its weight and by order.</summary>
    /// <exception cref="InvalidDataException">Names do not tell the order.</exception>
    public static Dictionary<Node, string> ByOrder(Model model, SafetensorsFile file)
    {
        var moduleOf = new Dictionary<Node, string>();
        foreach (int rank in (int[])[1, 2, 4])
        {
            string[] modules =
            [
                .. file.Entries.Values.Where(entry => entry.Shape.Length == rank && IsWeight(entry.Name)).Select(entry => entry.Name[..^Math.Min(entry.Name.Length, ".weight".Length)])
                    .Order(Comparer<string>.Create(CompareNaturally)),
            ];
            RequireOrder(file, modules);
            foreach ((Node node, string module) in model.Nodes.Where(node => WeightRank(node.Layer) == rank).Zip(modules))
                moduleOf.Add(node, module);
        }

        return moduleOf;
    }

    private static bool IsWeight(string tensor) => tensor == "weight" || tensor.EndsWith(".weight", StringComparison.Ordinal);

    private static int WeightRank(Layer layer) => layer switch
    {
        BatchNormalization => 1,
        Dense => 2,
        Conv2D or DepthwiseConv2D or PointwiseConv2D => 4,
        _ => 0,
    };

    /// <summary>Two modules that could be exchanged unseen must have names that differ in numbers alone.</summary>
    private static void RequireOrder(SafetensorsFile file, string[] modules)
    {
        var groups = modules.GroupBy(module => string.Join(',', file.Entries[TensorOf(module, ParameterRole.Kernel)].Shape));
        foreach (IGrouping<string, string> group in groups)
        {
            string? other = group.FirstOrDefault(module => Number().Replace(module, "0") != Number().Replace(group.First(), "0"));
            if (other != null)
            {
                throw file.Broken(
                    8, $"modules '{group.First()}' and '{other}' have weights of one shape, [{group.Key}], and their names do not tell which comes first: name the modules of the layers");
            }
        }
    }

    /// <summary>Text by its characters, numbers by their value.</summary>
    private static int CompareNaturally(string left, string right)
    {
        string[] a = Number().Split(left), b = Number().Split(right);
        string[] numbersA = [.. Number().Matches(left).Select(match => match.Value)], numbersB = [.. Number().Matches(right).Select(match => match.Value)];
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            int order = string.CompareOrdinal(a[i], b[i]);
            if (order == 0 && i < numbersA.Length && i < numbersB.Length)
            {
                string x = numbersA[i].TrimStart('0'), y = numbersB[i].TrimStart('0');
                order = x.Length != y.Length ? x.Length.CompareTo(y.Length) : string.CompareOrdinal(x, y);
            }

            if (order != 0)
                return order;
        }

        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(left, right);
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();
}
