using System.Runtime.CompilerServices;
using System.Xml.Linq;
using FluentAssertions;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace NativeConv.Tests.Architecture;

/// <summary>Holds the library's source to its rules, and proves of each rule on a small source that it can fail.</summary>
public sealed class SourceRulesTests
{
    private static readonly Lazy<SourceFile[]> Library = new(() => ReadPackage("NativeConv"));

    [Fact]
    public void Library_Source_IsFoundAndParsed()
    {
        Library.Value.Should().Contain(file => file.Path == "Simd/IVector.cs");
        Library.Value.Should().OnlyContain(file => !file.Root.ContainsDiagnostics);
    }

    [Fact]
    public void Library_Imports_FollowTheMap() => SourceRules.Imports(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_Vectors_AreForSimdAlone() => SourceRules.Vectors(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_Threads_AreForThreadingAlone() => SourceRules.Threads(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_Console_IsUnused() => SourceRules.Consoles(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_Reflection_IsUnused() => SourceRules.Reflection(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_StaticState_IsImmutable() => SourceRules.StaticState(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_SourceOfMemory_IsSetByTestsAlone() =>
        Library.Value.SelectMany(file => file.All<SimpleNameSyntax>()).Should().NotContain(name => name.Identifier.Text == nameof(NativeConv.Tensors.AlignedMemory.TakeFrom));

    [Fact]
    public void Library_Arithmetic_IsTheSameOnEveryMachine() => SourceRules.InexactArithmetic(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_PublicTypes_LieInFilesOfTheirName() => SourceRules.FileNames(Library.Value).Should().BeEmpty();

    [Fact]
    public void Library_Namespaces_TellPublicFromInternal() => SourceRules.Namespaces(Library.Value).Should().BeEmpty();

    [Theory]
    [InlineData("NativeConv.Onnx")]
    public void Package_BesideTheLibrary_KeepsItsRules(string package)
    {
        SourceFile[] files = ReadPackage(package);
        files.Should().NotBeEmpty().And.OnlyContain(file => !file.Root.ContainsDiagnostics);
        Func<IReadOnlyCollection<SourceFile>, IEnumerable<string>>[] rules =
        [
            SourceRules.Vectors, SourceRules.Threads, SourceRules.Consoles, SourceRules.Reflection, SourceRules.StaticState, SourceRules.InexactArithmetic,
            SourceRules.FileNames, sources => SourceRules.Namespaces(sources, package),
        ];
        rules.SelectMany(rule => rule(files)).Should().BeEmpty();
    }

    [Fact]
    public void Library_Internals_AreOpenToItsTestsAndBenchmarksAlone()
    {
        var project = XDocument.Load(Path.Combine(Root(), "src", "NativeConv", "NativeConv.csproj"));
        project.Descendants("InternalsVisibleTo").Select(friend => (string?)friend.Attribute("Include")).Should().BeEquivalentTo("NativeConv.Tests", "NativeConv.Benchmarks", "NativeConv.Fuzz", "NativeConv.PortableProgram");
    }

    [Theory]
    [InlineData("Kernels/A.cs", "using NativeConv.Operators; class A;")]
    [InlineData("Kernels/A.cs", "class A { Ops field; }")]
    [InlineData("Kernels/A.cs", "class A { NativeConv.Operators.Ops field; }")]
    [InlineData("Kernels/A.cs", "class A : Ops;")]
    [InlineData("Kernels/A.cs", "class A { void M(System.Span<Ops> x) { } }")]
    [InlineData("Kernels/A.cs", "class A { void M() => Ops.Run(); }")]
    [InlineData("Kernels/A.cs", "class A { object M() => new Ops(); }")]
    [InlineData("Kernels/A.cs", "class A { bool M(object x) => x is Ops; }")]
    [InlineData("Kernels/A.cs", "class A { object M(object x) => (Ops)x; }")]
    [InlineData("Kernels/A.cs", "class A { object M() => typeof(Ops); }")]
    [InlineData("Kernels/A.cs", "class A { Ops Ops { get; } }")]
    [InlineData("Tensors/A.cs", "class A { Ops field; }")]
    [InlineData("Losses/A.cs", "class A { Ops field; }")]
    [InlineData("Elsewhere/A.cs", "class A;")]
    [InlineData("A.cs", "class A;")]
    public void Imports_OfAFolderOutOfReach_Fail(string path, string source) =>
        SourceRules.Imports([Operators, SourceFile.Parse(path, source)]).Should().NotBeEmpty();

    [Theory]
    [InlineData("Layers/A.cs", "using NativeConv.Operators; class A { Ops field; }")]
    [InlineData("Kernels/A.cs", "/// <see cref=\"Ops\"/>\nclass A;")]
    [InlineData("Kernels/A.cs", "class A { int Ops { get; } int M() => Ops.GetHashCode(); }")]
    [InlineData("Kernels/A.cs", "class A { int Ops() => 1; int M() => Ops(); }")]
    [InlineData("Kernels/A.cs", "class A { object M(B b) => b.Ops; }")]
    [InlineData("Kernels/A.cs", "class A { object M() => new B { Ops = 1 }; }")]
    [InlineData("Kernels/A.cs", "class A { void M() => N(Ops: 1); }")]
    [InlineData("Kernels/A.cs", "class A { Ops field; } class Ops;")]
    public void Imports_WithinReachOrOfNoType_Pass(string path, string source) =>
        SourceRules.Imports([Operators, SourceFile.Parse(path, source)]).Should().BeEmpty();

    [Theory]
    [InlineData("using System.Runtime.Intrinsics;")]
    [InlineData("using System.Runtime.Intrinsics.X86;")]
    [InlineData("class A { Vector128<float> v; }")]
    [InlineData("class A { System.Numerics.Vector<float> v; }")]
    [InlineData("class A { int M() => Vector<float>.Count; }")]
    [InlineData("class A { bool M() => System.Runtime.Intrinsics.X86.Avx.IsSupported; }")]
    public void Vectors_OutsideSimd_Fail(string source) => Check(SourceRules.Vectors, "Kernels/A.cs", source).Should().NotBeEmpty();

    [Fact]
    public void Vectors_AsALevelOrInSimd_Pass()
    {
        Check(SourceRules.Vectors, "Operators/A.cs", "class A { object M() => SimdLevel.Vector128; }").Should().BeEmpty();
        Check(SourceRules.Vectors, "Simd/A.cs", "class A { Vector128<float> v; }").Should().BeEmpty();
    }

    [Theory]
    [InlineData("class A { void M() => Parallel.For(0, 1, i => { }); }")]
    [InlineData("class A { void M() => System.Threading.Tasks.Parallel.For(0, 1, i => { }); }")]
    [InlineData("class A { void M() => new Thread(M).Start(); }")]
    [InlineData("class A { void M() => ThreadPool.QueueUserWorkItem(_ => { }); }")]
    public void Threads_OutsideThreading_Fail(string source)
    {
        Check(SourceRules.Threads, "Graph/A.cs", source).Should().NotBeEmpty();
        Check(SourceRules.Threads, "Threading/A.cs", source).Should().BeEmpty();
    }

    [Theory]
    [InlineData("class A { void M() => Console.WriteLine(); }")]
    [InlineData("class A { void M() => System.Console.Out.Flush(); }")]
    [InlineData("using static System.Console;")]
    public void Console_Anywhere_Fails(string source) => Check(SourceRules.Consoles, "Training/A.cs", source).Should().NotBeEmpty();

    [Theory]
    [InlineData("using System.Reflection;")]
    [InlineData("class A { System.Reflection.MethodInfo m; }")]
    [InlineData("class A { object M(System.Type t) => Activator.CreateInstance(t); }")]
    [InlineData("class A { object M() => GetType().GetProperties(); }")]
    [InlineData("class A { object M() => typeof(A).GetProperty(\"B\"); }")]
    public void Reflection_Anywhere_Fails(string source) => Check(SourceRules.Reflection, "Graph/A.cs", source).Should().NotBeEmpty();

    [Fact]
    public void Reflection_JsonProperties_Pass() =>
        Check(
            SourceRules.Reflection,
            "Serialization/A.cs",
            "using System.Text.Json; class A { object M(JsonElement e) => e.GetProperty(\"x\"); }")
            .Should().BeEmpty();

    [Theory]
    [InlineData("class A { static int s; }")]
    [InlineData("class A { [ThreadStatic] static readonly int s; }")]
    [InlineData("class A { static event System.Action Changed; }")]
    [InlineData("class A { static int S { get; set; } }")]
    [InlineData("class A { static readonly List<int> s = []; }")]
    [InlineData("class A { static readonly System.Collections.Concurrent.ConcurrentDictionary<int, int> s = new(); }")]
    [InlineData("class A { class B { static volatile bool s; } }")]
    public void StaticState_Mutable_Fails(string source) => Check(SourceRules.StaticState, "Data/A.cs", source).Should().NotBeEmpty();

    [Theory]
    [InlineData("class A { static readonly int s; const int C = 1; int field; static int P { get; } static int Q => 1; }")]
    [InlineData("interface I { static abstract int P { get; set; } }")]
    public void StaticState_Immutable_Passes(string source) => Check(SourceRules.StaticState, "Data/A.cs", source).Should().BeEmpty();

    [Theory]
    [InlineData("class A { double M() => Math.Exp(1); }")]
    [InlineData("class A { double M() => System.MathF.Tanh(1); }")]
    [InlineData("class A { double M() => Math.Pow(2, 3); }")]
    [InlineData("class A { float M() => float.Exp(1); }")]
    [InlineData("class A { double M() => double.Cos(1); }")]
    [InlineData("class A { object M() => Vector128.Log(x); }")]
    [InlineData("class A { object M() => Vector256.ReciprocalSqrtEstimate(x); }")]
    [InlineData("class A { object M() => Sse.Reciprocal(x); }")]
    [InlineData("class A { float M(float[] x) => TensorPrimitives.Sum(x); }")]
    [InlineData("using static System.Math;")]
    [InlineData("using M = System.MathF;")]
    public void InexactArithmetic_Anywhere_Fails(string source) =>
        Check(SourceRules.InexactArithmetic, "Simd/A.cs", source).Should().NotBeEmpty();

    [Fact]
    public void InexactArithmetic_ExactMembers_Pass() =>
        Check(
            SourceRules.InexactArithmetic,
            "Kernels/A.cs",
            "class A { double M() => Math.Sqrt(Math.Max(1, MathF.Abs(2))) + float.Sqrt(Math.PI); }")
            .Should().BeEmpty();

    [Theory]
    [InlineData("Data/B.cs", "public class A;")]
    [InlineData("Data/B.Part.cs", "public partial class A;")]
    [InlineData("Data/B.cs", "namespace X; public class B; public enum A { }")]
    [InlineData("Data/B.cs", "public delegate void A();")]
    public void FileNames_OfAnotherPublicType_Fail(string path, string source) =>
        Check(SourceRules.FileNames, path, source).Should().NotBeEmpty();

    [Theory]
    [InlineData("Data/A.cs", "public class A { public class Nested; } class Helper;")]
    [InlineData("Data/A.Part.cs", "public partial class A<T>;")]
    public void FileNames_OfTheType_Pass(string path, string source) => Check(SourceRules.FileNames, path, source).Should().BeEmpty();

    [Theory]
    [InlineData("namespace NativeConv.Data; public class A;")]
    [InlineData("namespace NativeConv; class A;")]
    [InlineData("class A;")]
    public void Namespaces_Swapped_Fail(string source) => Check(SourceRules.Namespaces, "Data/A.cs", source).Should().NotBeEmpty();

    [Theory]
    [InlineData("namespace NativeConv; public partial class A; partial class A;")]
    [InlineData("namespace NativeConv.Data; class A;")]
    public void Namespaces_Right_Pass(string source) => Check(SourceRules.Namespaces, "Data/A.cs", source).Should().BeEmpty();

    private static SourceFile Operators { get; } =
        SourceFile.Parse("Operators/Ops.cs", "namespace NativeConv.Operators; static class Ops;");

    private static IEnumerable<string> Check(Func<IReadOnlyCollection<SourceFile>, IEnumerable<string>> rule, string path, string source) =>
        rule([SourceFile.Parse(path, source)]);

    private static SourceFile[] ReadPackage(string package)
    {
        string folder = Path.Combine(Root(), "src", package);
        return
        [
            .. from path in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
               let relative = Path.GetRelativePath(folder, path).Replace('\\', '/')
               where !relative.StartsWith("bin/", StringComparison.Ordinal) && !relative.StartsWith("obj/", StringComparison.Ordinal)
               select SourceFile.Parse(relative, File.ReadAllText(path)),
        ];
    }

    /// <summary>The folder of the solution.</summary>
    private static string Root([CallerFilePath] string here = "")
    {
        // The source's path at build time, unless the build hid it: then the folder that holds the solution, above the binaries.
        IEnumerable<string> starts = [Path.GetDirectoryName(here) ?? "", AppContext.BaseDirectory];
        return starts.Where(Directory.Exists).SelectMany(SelfAndParents)
            .First(folder => File.Exists(Path.Combine(folder, "NativeConv.sln")));
    }

    private static IEnumerable<string> SelfAndParents(string folder)
    {
        for (DirectoryInfo? current = new(folder); current is not null; current = current.Parent)
            yield return current.FullName;
    }
}
