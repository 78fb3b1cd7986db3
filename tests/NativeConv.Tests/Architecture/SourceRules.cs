using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace NativeConv.Tests.Architecture;

/// <summary>One file of a package: its path below the package's folder, with slashes, and its syntax.</summary>
internal sealed record SourceFile(string Path, CompilationUnitSyntax Root)
{
    public static SourceFile Parse(string path, string text) =>
        new(path, CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Preview)).GetCompilationUnitRoot());

    /// <summary>The top-level folder, empty for a file beside the project.</summary>
    public string Folder => Path.Contains('/') ? Path[..Path.IndexOf('/')] : "";

    /// <summary>The types of the file that lie in no other type.</summary>
    public IEnumerable<MemberDeclarationSyntax> Types => All<MemberDeclarationSyntax>()
        .Where(member => member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax && member.Parent is not TypeDeclarationSyntax);

    public IEnumerable<T> All<T>()
        where T : SyntaxNode => Root.DescendantNodes().OfType<T>();

    public string At(SyntaxNode node, string message) =>
        $"{Path}({node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}): {message}";

    public static string NameOf(MemberDeclarationSyntax type) => type switch
    {
        BaseTypeDeclarationSyntax declared => declared.Identifier.Text,
        DelegateDeclarationSyntax declared => declared.Identifier.Text,
        _ => throw new ArgumentException($"{type.Kind()} declares no type.", nameof(type)),
    };
}

/// <summary>
/// The rules of <c>docs/architecture.md</c>, checked on syntax alone: each takes the library's files and returns the violations.
/// Names in documentation comments are free.
/// </summary>
internal static class SourceRules
{
    private static readonly string[] Ground = ["Tensors", "Simd", "Threading", "Random", "Numerics"];

    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Tensors"] = [],
        ["Simd"] = [],
        ["Threading"] = [],
        ["Numerics"] = ["Simd"],
        ["Random"] = ["Numerics"],
        ["Kernels"] = ["Simd", "Tensors", "Numerics", "Random"],
        ["Operators"] = ["Kernels", .. Ground],
        ["Layers"] = ["Operators", "Kernels", .. Ground],
        ["Losses"] = ["Kernels", .. Ground],
        ["Optimizers"] = ["Kernels", .. Ground],
        ["Graph"] = ["Operators", "Layers", "Losses", "Optimizers", "Kernels", .. Ground],
        ["Data"] = Ground,
        ["Training"] = ["Graph", "Operators", "Data", "Layers", "Losses", "Optimizers", "Kernels", .. Ground],
        ["Serialization"] = ["Training", "Graph", "Data", "Layers", "Losses", "Optimizers", "Operators", "Kernels", .. Ground],
    };

    private static readonly HashSet<string> VectorNames = ["Vector", "Vector64", "Vector128", "Vector256", "Vector512", "Intrinsics"];

    private static readonly HashSet<string> ThreadNames = ["Parallel", "ParallelOptions", "ParallelEnumerable", "Thread", "ThreadPool"];

    private static readonly HashSet<string> ReflectionNames =
    [
        "Reflection", "Activator", "BindingFlags", "GetField", "GetFields", "GetProperty", "GetProperties", "GetMethod", "GetMethods",
        "MakeGenericType",
    ];

    private static readonly HashSet<string> ExactMath =
    [
        "Sqrt", "FusedMultiplyAdd", "Min", "Max", "Abs", "Floor", "Ceiling", "Round", "BigMul", "Clamp", "DivRem", "CopySign",
        "ScaleB", "ILogB", "Sign", "Truncate", "PI", "E", "Tau",
    ];

    /// <summary>What float, double and the vectors compute by the platform's library or in ways that differ between machines.</summary>
    private static readonly HashSet<string> InexactMath =
    [
        "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atan2", "Atanh", "Cbrt", "Cos", "Cosh", "Exp", "Exp10", "Exp2", "ExpM1", "Hypot",
        "Log", "Log10", "Log2", "LogP1", "Pow", "RootN", "Sin", "SinCos", "Sinh", "Tan", "Tanh",
    ];

    private static readonly HashSet<string> NumberTypes =
        ["float", "double", "Single", "Double", "Half", "Vector", "Vector64", "Vector128", "Vector256", "Vector512"];

    private static readonly HashSet<string> MutableCollections =
    [
        "List", "Dictionary", "HashSet", "Queue", "Stack", "StringBuilder", "ThreadLocal", "AsyncLocal", "ConditionalWeakTable",
        "StrongBox",
    ];

    /// <summary>A folder uses only what the map allows it, by namespace and by type name.</summary>
    public static IEnumerable<string> Imports(IReadOnlyCollection<SourceFile> files)
    {
        ILookup<string, string> foldersOf = files
            .SelectMany(file => file.Types.Select(type => (Name: SourceFile.NameOf(type), file.Folder)))
            .Distinct()
            .ToLookup(type => type.Name, type => type.Folder);

        foreach (SourceFile file in files.Where(file => file.Types.Any()))
        {
            if (!MayUse.TryGetValue(file.Folder, out string[]? allowed))
            {
                yield return $"{file.Path}: the map has no folder '{file.Folder}'";
                continue;
            }

            bool MaySee(string folder) => folder == file.Folder || allowed.Contains(folder);
            foreach (UsingDirectiveSyntax directive in file.All<UsingDirectiveSyntax>())
            {
                if (directive.NamespaceOrType.ToString().Split('.') is ["NativeConv", var folder, ..]
                    && MayUse.ContainsKey(folder) && !MaySee(folder))
                {
                    yield return file.At(directive, $"{file.Folder} may not use {folder}");
                }
            }

            HashSet<string> own = [.. DeclaredNames(file)];
            foreach (SimpleNameSyntax name in file.All<SimpleNameSyntax>().Where(name => MayNameType(name, own)))
            {
                string text = name.Identifier.Text;
                if (foldersOf.Contains(text) && !foldersOf[text].Any(MaySee))
                    yield return file.At(name, $"{file.Folder} may not use {text} of {string.Join(", ", foldersOf[text])}");
            }
        }
    }

    /// <summary>Only Simd names vectors and intrinsics.</summary>
    public static IEnumerable<string> Vectors(IReadOnlyCollection<SourceFile> files) =>
        Named(files.Where(file => file.Folder != "Simd"), VectorNames, "is for Simd alone");

    /// <summary>Only Threading starts threads.</summary>
    public static IEnumerable<string> Threads(IReadOnlyCollection<SourceFile> files) =>
        Named(files.Where(file => file.Folder != "Threading"), ThreadNames, "is for Threading alone");

    /// <summary>A library does not write to its user's console.</summary>
    public static IEnumerable<string> Consoles(IReadOnlyCollection<SourceFile> files) =>
        Named(files, ["Console"], "has no place in a library");

    /// <summary>Nothing that trimming could break.</summary>
    public static IEnumerable<string> Reflection(IReadOnlyCollection<SourceFile> files) =>
        from file in files
        from name in file.All<SimpleNameSyntax>()
        where ReflectionNames.Contains(name.Identifier.Text)
            && (IsBare(name) || name.Identifier.Text == "Reflection" || name.Parent?.Parent is InvocationExpressionSyntax)
            && !IsOwnJson(name)
        select file.At(name, $"{name.Identifier.Text} is reflection");

    /// <summary>No static field, property or event can change, and no static collection can be filled; but for the thread's own field by which tests put guard pages around what is set aside.</summary>
    public static IEnumerable<string> StaticState(IReadOnlyCollection<SourceFile> files)
    {
        foreach (SourceFile file in files)
        {
            foreach (BaseFieldDeclarationSyntax field in file.All<BaseFieldDeclarationSyntax>().Where(field => !IsMemorySource(file, field)))
            {
                bool isStatic = field.Modifiers.Any(SyntaxKind.StaticKeyword);
                if (isStatic && !field.Modifiers.Any(SyntaxKind.ReadOnlyKeyword))
                    yield return file.At(field, "a static field must be readonly or const");
                else if (isStatic && IsCollection(TypeName(field.Declaration.Type)))
                    yield return file.At(field, $"a static {field.Declaration.Type} is mutable state");
            }

            foreach (AttributeSyntax attribute in file.All<AttributeSyntax>())
            {
                if (TypeName(attribute.Name) is "ThreadStatic" or "ThreadStaticAttribute" && !IsMemorySource(file, attribute.Parent?.Parent))
                    yield return file.At(attribute, "thread-static fields are static state");
            }

            foreach (PropertyDeclarationSyntax property in file.All<PropertyDeclarationSyntax>())
            {
                if (property.Modifiers.Any(SyntaxKind.StaticKeyword) && !property.Modifiers.Any(SyntaxKind.AbstractKeyword)
                    && property.AccessorList?.Accessors.Any(IsAutomaticSetter) == true)
                {
                    yield return file.At(property, "a static property must not have a setter");
                }
            }
        }

        static bool IsMemorySource(SourceFile file, SyntaxNode? node) =>
            file.Path == "Tensors/AlignedMemory.cs" && node is FieldDeclarationSyntax { Declaration.Variables: [{ Identifier.Text: "_source" }] };

        static bool IsCollection(string type) =>
            MutableCollections.Contains(type) || type.StartsWith("Concurrent", StringComparison.Ordinal);

        static bool IsAutomaticSetter(AccessorDeclarationSyntax accessor) =>
            accessor.IsKind(SyntaxKind.SetAccessorDeclaration) && accessor.Body is null && accessor.ExpressionBody is null;
    }

    /// <summary>Nothing whose result depends on the machine's library, on a foreign order of summation or on an estimate.</summary>
    public static IEnumerable<string> InexactArithmetic(IReadOnlyCollection<SourceFile> files)
    {
        foreach (SourceFile file in files)
        {
            foreach (MemberAccessExpressionSyntax access in file.All<MemberAccessExpressionSyntax>())
            {
                string type = TypeName(access.Expression), member = access.Name.Identifier.Text;
                if (type is "Math" or "MathF" ? !ExactMath.Contains(member) : NumberTypes.Contains(type) && InexactMath.Contains(member))
                    yield return file.At(access, $"{type}.{member} differs between machines");
                else if (member.Contains("Estimate", StringComparison.Ordinal) || member.StartsWith("Reciprocal", StringComparison.Ordinal))
                    yield return file.At(access, $"{member} is an estimate");
            }

            foreach (SimpleNameSyntax name in file.All<SimpleNameSyntax>().Where(name => name.Identifier.Text == "TensorPrimitives"))
                yield return file.At(name, "TensorPrimitives sums in its own order");

            foreach (UsingDirectiveSyntax directive in file.All<UsingDirectiveSyntax>())
            {
                if (TypeName(directive.NamespaceOrType) is "Math" or "MathF")
                    yield return file.At(directive, "Math must be named where it is used");
            }
        }
    }

    /// <summary>A public type lies in the file of its name, or in parts named <c>Type.Part.cs</c>.</summary>
    public static IEnumerable<string> FileNames(IReadOnlyCollection<SourceFile> files) =>
        from file in files
        from type in file.Types
        where type.Modifiers.Any(SyntaxKind.PublicKeyword)
        let expected = Path.GetFileName(file.Path).Split('.')[0]
        where SourceFile.NameOf(type) != expected
        select file.At(type, $"public {SourceFile.NameOf(type)} belongs in a file of its name");

    /// <summary>Public types share the namespace NativeConv; internal ones carry their package's and their folder's name.</summary>
    public static IEnumerable<string> Namespaces(IReadOnlyCollection<SourceFile> files) => Namespaces(files, "NativeConv");

    /// <inheritdoc cref="Namespaces(IReadOnlyCollection{SourceFile})"/>
    public static IEnumerable<string> Namespaces(IReadOnlyCollection<SourceFile> files, string package)
    {
        HashSet<string> publicTypes =
        [
            .. files.SelectMany(file => file.Types).Where(type => type.Modifiers.Any(SyntaxKind.PublicKeyword)).Select(SourceFile.NameOf),
        ];
        return
            from file in files
            from type in file.Types
            let isPublic = publicTypes.Contains(SourceFile.NameOf(type)) && !type.Modifiers.Any(SyntaxKind.FileKeyword)
            let actual = type.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault()?.Name.ToString()
            let expected = isPublic ? "NativeConv" : $"{package}.{file.Folder}".TrimEnd('.')
            where actual != expected
            select file.At(type, $"{SourceFile.NameOf(type)} belongs in namespace {expected}, not {actual}");
    }

    private static IEnumerable<string> Named(IEnumerable<SourceFile> files, HashSet<string> names, string verdict) =>
        from file in files
        from name in file.All<SimpleNameSyntax>()
        where names.Contains(name.Identifier.Text) && (IsBare(name) || IsQualifiedByNamespace(name))
        select file.At(name, $"{name.Identifier.Text} {verdict}");

    /// <summary>Whether a name stands without a qualifier and is no label of an argument, as in <c>SimdLevel.Vector128</c>.</summary>
    private static bool IsBare(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Expression == name,
        MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => false,
        QualifiedNameSyntax qualified => qualified.Left == name,
        _ => true,
    };

    private static bool IsQualifiedByNamespace(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Expression.ToString().StartsWith("System", StringComparison.Ordinal),
        QualifiedNameSyntax qualified => qualified.ToString().Contains("System", StringComparison.Ordinal),
        AliasQualifiedNameSyntax => true,
        _ => false,
    };

    /// <summary>JsonElement.GetProperty and its like read data, not types.</summary>
    private static bool IsOwnJson(SimpleNameSyntax name) =>
        name.Identifier.Text == "GetProperty"
        && name.SyntaxTree.GetCompilationUnitRoot().Usings.Any(directive => directive.NamespaceOrType.ToString() == "System.Text.Json");

    /// <summary>
    /// Whether a name can stand for a type: not a member, a method being called, a label, or an expression that a declaration in the same
    /// file explains (a property <c>Loss Loss</c>, whose type is a name of its own anyway).
    /// </summary>
    private static bool MayNameType(SimpleNameSyntax name, HashSet<string> own) => name.Parent switch
    {
        _ when !IsBare(name) => name.Parent is QualifiedNameSyntax,
        InvocationExpressionSyntax call => call.Expression != name,
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left != name,
        ArgumentSyntax or (ExpressionSyntax and not TypeSyntax) => !own.Contains(name.Identifier.Text),
        _ => true,
    };

    private static IEnumerable<string> DeclaredNames(SourceFile file) => file.Root.DescendantNodes().Select(node => node switch
    {
        PropertyDeclarationSyntax property => property.Identifier.Text,
        VariableDeclaratorSyntax variable => variable.Identifier.Text,
        ParameterSyntax parameter => parameter.Identifier.Text,
        MethodDeclarationSyntax method => method.Identifier.Text,
        EnumMemberDeclarationSyntax member => member.Identifier.Text,
        SingleVariableDesignationSyntax variable => variable.Identifier.Text,
        _ => "",
    });

    /// <summary>The last identifier of a type or expression: <c>List</c> of <c>System.Collections.Generic.List&lt;int&gt;</c>.</summary>
    private static string TypeName(SyntaxNode node) => node switch
    {
        QualifiedNameSyntax qualified => qualified.Right.Identifier.Text,
        AliasQualifiedNameSyntax qualified => qualified.Name.Identifier.Text,
        MemberAccessExpressionSyntax access => access.Name.Identifier.Text,
        SimpleNameSyntax simple => simple.Identifier.Text,
        NullableTypeSyntax nullable => TypeName(nullable.ElementType),
        _ => node.ToString(),
    };
}
