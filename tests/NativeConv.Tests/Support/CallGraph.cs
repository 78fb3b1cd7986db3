using Mono.Cecil;

namespace NativeConv.Tests.Support;

/// <summary>Which methods of the library and its tests call which, read from their instructions.</summary>
internal sealed class CallGraph : IDisposable
{
    private readonly DefaultAssemblyResolver _resolver = new();
    private readonly ILookup<MethodDefinition, MethodDefinition> _overriders;

    public CallGraph()
    {
        _resolver.AddSearchDirectory(AppContext.BaseDirectory);
        _resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        Library = TypesOf(typeof(Model));
        Tests = TypesOf(typeof(CallGraph));
        _overriders = (
            from type in Library.Concat(Tests)
            from method in type.Methods
            where method.HasBody
            from overridden in Overridden(type, method)
            select (overridden, method)).ToLookup(pair => pair.overridden, pair => pair.method);
    }

    /// <summary>The library's types, nested ones included.</summary>
    public IReadOnlyList<TypeDefinition> Library { get; }

    /// <summary>The tests' types, nested ones included.</summary>
    public IReadOnlyList<TypeDefinition> Tests { get; }

    /// <summary>A type's namespace, of a nested one its outermost type's.</summary>
    public static string NamespaceOf(TypeDefinition type) => type.DeclaringType is { } outer ? NamespaceOf(outer) : type.Namespace;

    /// <summary>What a method's instructions name: calls, constructions and pointers to methods.</summary>
    public static IEnumerable<MethodDefinition> Callees(MethodDefinition method) => !method.HasBody
        ? []
        : from instruction in method.Body.Instructions
          let callee = (instruction.Operand as MethodReference)?.Resolve()
          where callee != null
          select callee;

    /// <summary>The methods that calls lead to, with those that override or implement what is called, as far as some types go.</summary>
    public HashSet<MethodDefinition> Reached(IEnumerable<MethodDefinition> roots, Func<TypeDefinition, bool> inside)
    {
        var reached = new HashSet<MethodDefinition>();
        var pending = new Stack<MethodDefinition>(roots);
        while (pending.TryPop(out MethodDefinition? method))
        {
            if (!reached.Add(method))
                continue;

            foreach (MethodDefinition callee in Callees(method).Concat(_overriders[method]).Where(next => inside(next.DeclaringType)))
                pending.Push(callee);
        }

        return reached;
    }

    public void Dispose() => _resolver.Dispose();

    private TypeDefinition[] TypesOf(Type member) =>
        [.. _resolver.Resolve(AssemblyNameReference.Parse(member.Assembly.FullName)).MainModule.GetTypes()];

    /// <summary>The methods of base types and interfaces of the same name, which a call may name instead.</summary>
    private static IEnumerable<MethodDefinition> Overridden(TypeDefinition type, MethodDefinition method)
    {
        for (TypeDefinition? ancestor = type; ancestor != null; ancestor = ancestor.BaseType?.Resolve())
        {
            IEnumerable<TypeDefinition> places = ancestor.Interfaces.Select(implemented => implemented.InterfaceType.Resolve());
            foreach (MethodDefinition candidate in places.Append(ancestor).SelectMany(place => place.Methods))
            {
                if (candidate != method && candidate.IsVirtual && candidate.Name == method.Name && candidate.Parameters.Count == method.Parameters.Count)
                    yield return candidate;
            }
        }
    }
}
