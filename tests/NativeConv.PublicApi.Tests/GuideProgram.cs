using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace NativeConv.PublicApi.Tests;

/// <summary>The C# blocks of one section of the guide, as the program that they make: statements in order, types beside them.</summary>
internal static class GuideProgram
{
    private const string ImplicitUsings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    private const string RuntimeConfiguration = """
        { "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" }, "configProperties": { "System.Globalization.Invariant": true } } }
        """;

    /// <summary>Compiles the blocks and runs the program in a folder.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It does not compile, or ends with an error.</exception>
    public static string Run(IEnumerable<CodeBlock> blocks, string folder)
    {
        string program = Path.Combine(folder, "program.dll");
        Compile([.. blocks.Select(block => block.Text)], program);
        File.WriteAllText(Path.ChangeExtension(program, "runtimeconfig.json"), RuntimeConfiguration);
        foreach (string library in (string[])["NativeConv.dll", "NativeConv.Onnx.dll"])
            File.Copy(Path.Combine(AppContext.BaseDirectory, library), Path.Combine(folder, library), overwrite: true);

        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"The program ended with {process.ExitCode}: {output}{error.Result}");
    }

    private static void Compile(string[] blocks, string path)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        ILookup<bool, string> byStatements = blocks.ToLookup(block => CSharpSyntaxTree.ParseText(block, options).GetCompilationUnitRoot().Members.OfType<GlobalStatementSyntax>().Any());
        string[] sources = [ImplicitUsings, string.Join('\n', byStatements[true]), .. byStatements[false]];
        IEnumerable<MetadataReference> references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(assembly => MetadataReference.CreateFromFile(assembly));
        var compilation = CSharpCompilation.Create(
            "program", sources.Select(source => CSharpSyntaxTree.ParseText(source, options)), references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        string[] complaints = [.. compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).Select(diagnostic => diagnostic.ToString())];
        if (complaints.Length > 0)
            throw new InvalidOperationException(string.Join('\n', complaints));

        using FileStream file = File.Create(path);
        compilation.Emit(file);
    }
}
