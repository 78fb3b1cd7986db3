using NativeConv.Layers;
using NativeConv.Random;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>
/// A model's parameters in three blocks: trained values, their gradients at the same offsets, and what is saved but not trained. One block
/// means that the optimizer is one sweep and a copy of all weights is one copy. Tests show plans each parameter apart, between guard pages.
/// </summary>
internal unsafe class ParameterStore
{
    private readonly Dictionary<(int Node, int Index), (Parameter Parameter, int Offset)> _byPlace = [];

    public ParameterStore(IReadOnlyList<Node> nodes)
    {
        long trained = 0, kept = 0;
        var places = new List<(Node Node, int Index, ParameterDescription Description, long Offset)>();
        foreach (Node node in nodes)
        {
            IReadOnlyList<ParameterDescription> wanted = node.Layer.Parameters(node.InputShapes());
            for (int i = 0; i < wanted.Count; i++)
            {
                ref long length = ref wanted[i].IsTrainable ? ref trained : ref kept;
                places.Add((node, i, wanted[i], length));
                length = AlignedMemory.RoundUp(length + wanted[i].Shape.Length);
                if (length > AlignedMemory.MostFloats)
                    throw new ArgumentException($"The weights up to '{node.Name}' are {length}, but a model holds at most {AlignedMemory.MostFloats}.", nameof(nodes));
            }
        }

        Values = new(trained);
        Gradients = new(trained);
        State = new(kept);
        var all = new List<Parameter>(places.Count);
        foreach ((Node node, int index, ParameterDescription description, long offset) in places)
        {
            Tensor value = new(description.Shape, description.IsTrainable ? Values : State, (int)offset);
            Tensor? gradient = description.IsTrainable ? new(description.Shape, Gradients, (int)offset) : null;
            var parameter = new Parameter($"{node.Name}.{description.Name}", description, value, gradient);
            all.Add(parameter);
            _byPlace.Add((node.Index, index), (parameter, (int)offset));
        }

        All = all;
        Trained = [.. _byPlace.Values.Where(place => place.Parameter.Gradient != null).Select(place => (place.Offset, place.Parameter)).OrderBy(place => place.Offset)];
    }

    public AlignedMemory Values { get; }

    public AlignedMemory Gradients { get; }

    public AlignedMemory State { get; }

    public IReadOnlyList<Parameter> All { get; }

    /// <summary>What training changes unless it is frozen, with its place in the blocks, in their order.</summary>
    public (int Offset, Parameter Parameter)[] Trained { get; }

    /// <summary>Grows whenever a layer is frozen or unfrozen: plans made before no longer hold.</summary>
    public int FreezingVersion { get; private set; }

    /// <summary>A node's parameter by its place in what the layer wants.</summary>
    public Parameter Parameter(Node node, int index) => _byPlace[(node.Index, index)].Parameter;

    /// <summary>A node's parameters, in the order in which the layer wants them.</summary>
    public IEnumerable<Parameter> Of(Node node)
    {
        for (int i = 0; _byPlace.TryGetValue((node.Index, i), out (Parameter Parameter, int Offset) place); i++)
            yield return place.Parameter;
    }

    /// <summary>The views that a node's program gets.</summary>
    public virtual ParameterView[] Views(Node node)
    {
        var views = new List<ParameterView>();
        while (_byPlace.TryGetValue((node.Index, views.Count), out (Parameter Parameter, int Offset) place))
        {
            Parameter p = place.Parameter;
            views.Add(new(p.Value.Pointer, p.Gradient == null ? null : p.Gradient.Pointer, p.Value.Length));
        }

        return [.. views];
    }

    /// <summary>Whether a training step changes any parameter of the node.</summary>
    public bool IsTrained(Node node) => Of(node).Any(parameter => parameter.IsTrainable);

    /// <summary>Whether the node has parameters to freeze.</summary>
    public bool HasParameters(Node node) => _byPlace.ContainsKey((node.Index, 0));

    /// <summary>Whether the node is frozen.</summary>
    public bool IsFrozen(Node node) => HasParameters(node) && Parameter(node, 0).IsFrozen;

    /// <summary>Freezes or unfreezes a node. What a frozen parameter's gradient held is gone, so that it counts in no norm.</summary>
    public void SetFrozen(Node node, bool frozen)
    {
        if (IsFrozen(node) == frozen)
            return;

        FreezingVersion++;
        foreach (Parameter parameter in Of(node))
        {
            parameter.IsFrozen = frozen;
            parameter.Gradient?.Span.Clear();
        }
    }

    /// <summary>Gives every parameter its initial values, each from a stream of its own.</summary>
    public void Initialize(ulong seed, IReadOnlyList<Node> nodes)
    {
        ulong stream = 0;
        bool[] leadsToRectifier = LeadToRectifier(nodes);
        foreach (Node node in nodes)
        {
            for (int i = 0; _byPlace.TryGetValue((node.Index, i), out (Parameter Parameter, int Offset) place); i++)
            {
                ParameterDescription description = place.Parameter.Description;
                Initializer initializer = description.Initializer ?? description.Role switch
                {
                    ParameterRole.Kernel => leadsToRectifier[node.Index] ? Initializer.HeNormal : Initializer.GlorotUniform,
                    ParameterRole.Gamma or ParameterRole.RunningVariance => Initializer.Ones,
                    _ => Initializer.Zeros,
                };
                initializer.Fill(place.Parameter.Value.Span, description, new RandomStream(seed, StreamPurpose.Initializer, stream++));
            }
        }
    }

    public void CopyTo(ParameterStore other)
    {
        Values.Span.CopyTo(other.Values.Span);
        State.Span.CopyTo(other.State.Span);
    }

    /// <summary>Whether a ReLU follows each node, directly or through layers that only rescale or rearrange; the first activation in the nodes' order decides.</summary>
    private static bool[] LeadToRectifier(IReadOnlyList<Node> nodes)
    {
        bool[] leads = new bool[nodes.Count];

        // A node's readers stand behind it, so what is asked of them is known. Of several, the one that stands first is asked last.
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            bool? verdict = nodes[i].Layer switch
            {
                ActivationLayer activation => activation.Function is Activation.ReLU or Activation.ReLU6 or Activation.LeakyReLU,
                { IsTransparentToInitializer: true } when leads[i] => true,
                _ => null,
            };
            if (verdict is not { } known)
                continue;

            foreach (Node input in nodes[i].Inputs)
                leads[input.Index] = known;
        }

        return leads;
    }
}
