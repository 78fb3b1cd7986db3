using PureHDF;

namespace NativeConv.Keras;

/// <summary>The variables of a Keras weights file, an HDF5 file with one group a layer: <c>layers/conv2d/vars/0</c>, 1 and so on.</summary>
internal sealed class KerasVariables
{
    /// <summary>How many times its length PureHDF may read of a file.</summary>
    private const int Readings = 64;

    private readonly string _file;
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private long _unclaimed;

    private KerasVariables(string file, long length)
    {
        _file = file;
        _unclaimed = length;
    }

    /// <exception cref="InvalidDataException">The file is no HDF5 file of that layout; the message names it and the variable.</exception>
    public static KerasVariables Read(byte[] file, string name)
    {
        var variables = new KerasVariables(name, file.Length);
        try
        {
            using var stream = new BoundedStream(file, Readings);
            using var root = H5File.Open(stream, leaveOpen: true);
            variables.ReadLayers(root, stream);
            return variables;
        }
        catch (Exception e) when (e is not InvalidDataException { Source: nameof(KerasVariables) })
        {
            // Nothing but PureHDF and its stream over memory ran: whatever it throws, the file is at fault.
            throw new InvalidDataException($"{name}: the HDF5 file is corrupt or foreign: {e.Message}", e);
        }
    }

    /// <summary>Requires every variable that a model needs, so that no memory is set aside for weights that are not there.</summary>
    /// <exception cref="InvalidDataException">A variable is missing or has another shape.</exception>
    public void Require(IEnumerable<KerasSlot> slots)
    {
        foreach (KerasSlot slot in slots.Where(slot => slot.Variable != null))
        {
            if (!_tensors.TryGetValue(slot.Variable!, out Tensor? tensor))
                throw Broken($"there is no variable '{slot.Variable}' for {slot.Parameter} {slot.Shape}");

            if (tensor.Shape != slot.Shape)
                throw Broken($"variable '{slot.Variable}' must be {slot.Shape}, but is {tensor.Shape}");
        }
    }

    /// <summary>Copies variables to a model's parameters.</summary>
    /// <exception cref="InvalidDataException">The load is strict and they do not fit.</exception>
    public WeightsReport Load(Model model, IReadOnlyList<KerasSlot> slots, bool strict)
    {
        Dictionary<string, string> variableOf = slots.Where(slot => slot.Variable != null).ToDictionary(slot => slot.Parameter, slot => slot.Variable!);
        string[] kept = [.. slots.Where(slot => slot.Variable == null).Select(slot => slot.Parameter)];
        HashSet<string> taken = [.. variableOf.Values];

        // By the parameters' names where they are known, else by Keras' own, which no parameter has.
        var weights = new Dictionary<string, Tensor>();
        foreach ((string parameter, string variable) in variableOf)
        {
            if (!_tensors.TryGetValue(variable, out Tensor? tensor))
                continue;

            // Without its scale or centre, a normalization's variables would be taken for one another.
            string group = variable[..variable.LastIndexOf('/')];
            if (group.StartsWith("layers/batch_normalization", StringComparison.Ordinal) && kept.Length == 0 && !_tensors.ContainsKey(group + "/3"))
                taken.Remove(variable);
            else
                weights.Add(parameter, tensor);
        }

        foreach (string parameter in kept)
            weights.Add(parameter, model.Parameter(parameter).Value);

        foreach ((string variable, Tensor tensor) in _tensors.Where(pair => !taken.Contains(pair.Key)))
            weights.Add(variable, tensor);

        try
        {
            WeightsReport report = model.LoadWeights(weights, strict);
            return report with
            {
                Loaded = [.. report.Loaded.Where(match => variableOf.ContainsKey(match.Parameter)).Select(match => match with { Tensor = variableOf[match.Parameter] })],
                OtherShape = [.. report.OtherShape.Select(mismatch => mismatch with { Tensor = variableOf[mismatch.Parameter] })],
            };
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{_file}: {e.Message}", e);
        }
    }

    private void ReadLayers(IH5Group root, BoundedStream stream)
    {
        if (!root.LinkExists("layers") || root.Get("layers") is not IH5Group layers)
            throw Broken("there is no group 'layers', as every weights file of Keras 3 has");

        foreach (IH5Object layer in layers.Children())
        {
            if (layer is not IH5Group group)
                throw Broken($"'layers/{layer.Name}' must be a group");

            if (group.LinkExists("layers"))
                throw Broken($"layer '{layer.Name}' is a model of its own, which the library has no layer for");

            if (!group.LinkExists("vars") || group.Get("vars") is not IH5Group variables)
                continue;

            foreach (IH5Object variable in variables.Children())
                _tensors.Add($"layers/{layer.Name}/vars/{variable.Name}", Read(variable, $"layers/{layer.Name}/vars/{variable.Name}", stream));
        }
    }

    private Tensor Read(IH5Object variable, string path, BoundedStream stream)
    {
        if (variable is not IH5Dataset dataset)
            throw Broken($"'{path}' must be a data set");

        if (dataset.Type.Class != H5DataTypeClass.FloatingPoint || dataset.Type.Size != sizeof(float))
            throw Broken($"'{path}' must hold 32-bit floats, but holds {dataset.Type.Class} of {8 * dataset.Type.Size} bits");

        if (dataset.Layout.Class is not (H5DataLayoutClass.Contiguous or H5DataLayoutClass.Compact))
            throw Broken($"'{path}' must be stored in one piece, as Keras does, but is {dataset.Layout.Class}");

        // Each lies within the file, and no two share its bytes.
        ulong[] dimensions = dataset.Space.Dimensions;
        Int128 bytes = sizeof(float);
        foreach (ulong dimension in dimensions)
            bytes = Int128.Min(bytes * dimension, long.MaxValue);

        if (bytes > _unclaimed || dimensions.Length > TensorShape.MaxRank)
            throw Broken($"'{path}' has the shape [{string.Join(", ", dimensions)}], for which the file has too few bytes or a layer too few dimensions");

        _unclaimed -= (long)bytes;
        // A single value is read as one, too.
        var tensor = new Tensor([.. dimensions.Select(dimension => (int)dimension)]);
        long before = stream.ContentsRead;
        dataset.Read<float[]>().CopyTo(tensor.Span);
        return stream.ContentsRead - before == (long)bytes ? tensor : throw Broken($"'{path}' has its values elsewhere than in this file");
    }

    private InvalidDataException Broken(string rule) => new($"{_file}: {rule}.") { Source = nameof(KerasVariables) };
}
