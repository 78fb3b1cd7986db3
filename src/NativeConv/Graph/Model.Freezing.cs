using NativeConv.Graph;

namespace NativeConv;

/// <summary>Layers that training leaves as they are.</summary>
public sealed unsafe partial class Model
{
    /// <summary>The names of the layers that are frozen, in the order of the nodes.</summary>
    public IReadOnlyList<string> FrozenLayers => [.. Nodes.Where(Store.IsFrozen).Select(node => node.Name)];

    /// <summary>
    /// Freezes layers: until they are unfrozen, training leaves their weights and optimizer moments as they are to the bit, weight decay included, and a batch normalization
    /// uses its running statistics and leaves them too. A step does no work for what is frozen: no weight gradients, and no backward pass below the lowest layer that is
    /// trained. Gradients pass through frozen layers to trained ones below. Model files do not say what is frozen, checkpoints do.
    /// </summary>
    /// <param name="patterns">Names of layers with parameters; * stands for any characters, ? for one, as in <c>block1/*</c>.</param>
    /// <exception cref="ArgumentException">A pattern names no layer with parameters. Nothing has been changed.</exception>
    public void Freeze(params IEnumerable<string> patterns) => SetFrozen(patterns, frozen: true);

    /// <summary>Trains layers again.</summary>
    /// <param name="patterns">As for <see cref="Freeze"/>; <c>*</c> for all.</param>
    /// <exception cref="ArgumentException">A pattern names no layer with parameters. Nothing has been changed.</exception>
    public void Unfreeze(params IEnumerable<string> patterns) => SetFrozen(patterns, frozen: false);

    /// <summary>Freezes these layers alone.</summary>
    internal void SetFrozenLayers(IReadOnlyCollection<string> names)
    {
        foreach (Node node in Nodes.Where(Store.HasParameters))
            Store.SetFrozen(node, names.Contains(node.Name));
    }

    private void SetFrozen(IEnumerable<string> patterns, bool frozen)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        Node[] layers = [.. Nodes.Where(Store.HasParameters)];
        var chosen = new List<Node>();
        foreach (string pattern in patterns)
        {
            Node[] named = [.. layers.Where(node => NamePattern.Matches(pattern, node.Name))];
            if (named.Length == 0)
                throw new ArgumentException($"No layer with parameters is named '{pattern}'; there are {string.Join(", ", layers.Select(node => node.Name))}.", nameof(patterns));

            chosen.AddRange(named);
        }

        foreach (Node node in chosen)
            Store.SetFrozen(node, frozen);
    }
}
