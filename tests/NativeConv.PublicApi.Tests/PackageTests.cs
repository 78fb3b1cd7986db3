using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The package as it is packed, in a program that has nothing of the repository: the README's.</summary>
public sealed class PackageTests(TrainedDigits digits) : IClassFixture<TrainedDigits>, IDisposable
{
    /// <summary>One that no folder of packages has.</summary>
    private const string Version = "0.0.0-unpublished";

    private readonly string _folder = Directory.CreateTempSubdirectory("package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Program_InTheReadme_ReadsADigitWithThePackedPackage()
    {
        Dotnet(Metadata("Repository"), "pack", "src/NativeConv", "--no-build", "-c", Metadata("Configuration"), $"-p:PackageVersion={Version}", "--output", InFolder("packages"));
        IsSmallAndManaged(Directory.GetFiles(InFolder("packages"), "*.nupkg").Single());
        CodeBlock program = MarkdownFile.Blocks("README.md").Single(block => block is { Heading: "In a program of your own", Language: "csharp" });
        program.Lines.Where(line => line.Length > 0).Should().HaveCount(10);
        Directory.CreateDirectory(InFolder("reader"));
        File.WriteAllText(InFolder("reader/Program.cs"), program.Text);

        // The package comes from its folder alone, into a folder of the test's own; what it needs was restored for this repository already.
        File.WriteAllText(InFolder("nuget.config"), """<configuration><packageSources><clear /><add key="local" value="packages" /></packageSources></configuration>""");
        File.WriteAllText(InFolder("reader/reader.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <RestorePackagesPath>{InFolder("restored")}</RestorePackagesPath>
                <RestoreFallbackFolders>{Metadata("PackageRoot")}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="NativeConv" Version="{Version}" />
                <PackageReference Include="StbImageSharp" Version="{typeof(StbImageSharp.ImageResult).Assembly.GetName().Version!.ToString(3)}" />
              </ItemGroup>
            </Project>
            """);
        Dotnet(InFolder("reader"), "build", "-c", "Release");
        Directory.GetFiles(InFolder("reader/bin/Release/net10.0"), "*.dll").Select(Path.GetFileName)
            .Should().BeEquivalentTo("reader.dll", "NativeConv.dll", "StbImageSharp.dll", "System.Numerics.Tensors.dll");

        for (int digit = 0; digit < 10; digit++)
        {
            (byte[] pixels, ImageShape shape) = PictureFile.OnPaper(digits.Digits[digit]);
            PictureFile.WritePng(InFolder("digit.png"), pixels, shape);
            Dotnet(_folder, InFolder("reader/bin/Release/net10.0/reader.dll"), digits.ModelFile, "digit.png").Should().StartWith($"{digit}: ").And.Contain("%");
        }
    }

    /// <summary>One managed assembly under 1 MB that depends on System.Numerics.Tensors alone, as the README says.</summary>
    private static void IsSmallAndManaged(string path)
    {
        using ZipArchive package = ZipFile.OpenRead(path);
        package.Entries.Where(entry => entry.FullName.StartsWith("lib/", StringComparison.Ordinal)).Select(entry => entry.FullName)
            .Should().BeEquivalentTo("lib/net10.0/NativeConv.dll", "lib/net10.0/NativeConv.xml");
        package.Entries.Should().NotContain(entry => entry.FullName.StartsWith("runtimes/", StringComparison.Ordinal));
        package.GetEntry("README.md").Should().NotBeNull();
        package.GetEntry("lib/net10.0/NativeConv.dll")!.Length.Should().BeLessThan(1 << 20);
        using Stream specification = package.GetEntry("NativeConv.nuspec")!.Open();
        XDocument.Load(specification).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value)
            .Should().Equal("System.Numerics.Tensors");
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private static string Metadata(string key) =>
        typeof(PackageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    /// <summary>Runs a command of <c>dotnet</c>, which must succeed, and gives what it printed.</summary>
    private static string Dotnet(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };

        // What the build that runs the tests sets for itself is not for this one, and no server of it is to stay.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, $"dotnet {string.Join(' ', arguments)} said: {output}{error.Result}");
        return output;
    }
}
