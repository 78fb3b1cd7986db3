using NativeConv.Graph;
using NativeConv.Layers;

namespace NativeConv.Tests.Support;

/// <summary>A model's parameters as a plan sees them, each value and each gradient between guards of its own, however long it is.</summary>
internal sealed unsafe class GuardedParameterStore : ParameterStore, IDisposable
{
    private readonly Guard _guard;
    private readonly List<(GuardedMemory Guarded, Tensor Parameter)> _all = [];

    /// <summary>A copy of a model's parameters, the same layers frozen.</summary>
    public GuardedParameterStore(Model model, Guard guard)
        : base(model.Nodes)
    {
        _guard = guard;
        model.Store.CopyTo(this);
        foreach (Node node in model.Nodes)
            SetFrozen(node, model.Store.IsFrozen(node));
    }

    public override ParameterView[] Views(Node node) =>
        [.. Of(node).Select(parameter => new ParameterView(Guarded(parameter.Value), parameter.Gradient == null ? null : Guarded(parameter.Gradient), parameter.Value.Length))];

    /// <summary>Copies what a plan left into the store.</summary>
    public void Collect()
    {
        foreach ((GuardedMemory guarded, Tensor parameter) in _all)
            guarded.Span.CopyTo(parameter.Span);
    }

    public void Dispose()
    {
        foreach ((GuardedMemory guarded, _) in _all)
            guarded.Dispose();
    }

    private float* Guarded(Tensor parameter)
    {
        var guarded = new GuardedMemory(parameter.Span, _guard);
        _all.Add((guarded, parameter));
        return guarded.Pointer;
    }
}
