using FluentAssertions;
using Mono.Cecil;
using NativeConv.Kernels;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

/// <summary>No kernel without a guarded test: read from the compiled code, so that there is no list to forget.</summary>
public sealed class GuardCoverageTests
{
    [Fact]
    public void KernelsThatTheLibraryCalls_AreCalledByGuardedTests()
    {
        using var code = new CallGraph();
        IEnumerable<MethodDefinition> entries =
            from type in code.Library
            where !IsKernel(type)
            from method in type.Methods
            from callee in CallGraph.Callees(method)
            where IsKernel(callee.DeclaringType) && TouchesMemory(callee)
            select callee;
        entries.Should().Contain(entry => entry.DeclaringType.Name == nameof(AdamKernel), "the optimizers call it");
        entries.Except(Guarded(code).SelectMany(CallGraph.Callees)).Select(Name).Should().BeEmpty("a kernel needs a guarded test");
    }

    [Fact]
    public void KernelsOfAnyKind_AreReachedFromGuardedTests()
    {
        using var code = new CallGraph();
        IEnumerable<MethodDefinition> all =
            from type in code.Library
            where IsKernel(type)
            from method in type.Methods
            where method is { IsPublic: true, HasBody: true } && TouchesMemory(method)
            select method;
        all.Should().Contain(method => method.DeclaringType.Name == nameof(WeightGradientMicroKernel), "convolutions come to it");
        all.Except(code.Reached(Guarded(code), IsKernel)).Select(Name).Should().BeEmpty("a guarded test should come to every kernel");
    }

    /// <summary>What guarded tests run, with the helpers beside it.</summary>
    private static HashSet<MethodDefinition> Guarded(CallGraph code)
    {
        IEnumerable<MethodDefinition> runs =
            from type in code.Tests
            where type.Interfaces.Any(implemented => implemented.InterfaceType.Name == nameof(IGuardedKernel))
            from method in type.Methods
            where method.Name == nameof(IGuardedKernel.Run)
            select method;
        return code.Reached(runs, type => CallGraph.NamespaceOf(type) == typeof(GuardCoverageTests).Namespace);
    }

    private static bool IsKernel(TypeDefinition type) => CallGraph.NamespaceOf(type) == typeof(ElementwiseKernel).Namespace;

    /// <summary>Whether a method is given a pointer, plainly or in a structure.</summary>
    private static bool TouchesMemory(MethodDefinition method) => method.Parameters.Any(parameter =>
        parameter.ParameterType is PointerType
        || parameter.ParameterType.GetElementType().Resolve() is { IsValueType: true } structure && structure.Fields.Any(field => field.FieldType is PointerType));

    private static string Name(MethodDefinition method) => $"{method.DeclaringType.Name}.{method.Name}";
}
