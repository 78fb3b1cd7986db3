using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace NativeConv.PeerBenchmarks.Peers;

/// <summary>Loads the peers, each with its own message where that fails, and says which they are.</summary>
internal static class PeerLibraries
{
    public const string Libtorch = "libtorch", OnnxRuntime = "onnxruntime";

    private const string LibtorchLibrary = "LibTorchSharp", OnnxRuntimeLibrary = "onnxruntime";

    /// <summary>Loads libtorch, and has it use this many threads.</summary>
    /// <exception cref="PeerException">It cannot be loaded.</exception>
    public static void LoadLibtorch(int threads)
    {
        // TorchSharp's own message leaves out what the loader says.
        try
        {
            NativeLibrary.Load(LibtorchLibrary, typeof(torch).Assembly, null);
        }
        catch (DllNotFoundException e)
        {
            throw new PeerException($"libtorch cannot be loaded: {LibtorchCure(e.Message)}{Environment.NewLine}The loader says: {LoaderCause(e.Message, LibtorchLibrary)}", e);
        }

        torch.InitializeDeviceType(DeviceType.CPU);
        torch.set_num_interop_threads(1);
        torch.set_num_threads(threads);
    }

    /// <summary>Loads ONNX Runtime.</summary>
    /// <exception cref="PeerException">It cannot be loaded.</exception>
    public static void LoadOnnxRuntime()
    {
        try
        {
            _ = OrtEnv.Instance();
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new PeerException(
                $"ONNX Runtime cannot be loaded: package Microsoft.ML.OnnxRuntime has no library for {RuntimeInformation.RuntimeIdentifier}, it was not copied beside the " +
                $"program (restore and build again), or it needs a newer C++ library (package libstdc++6) than this system has.{Environment.NewLine}" +
                $"The loader says: {LoaderCause(e.GetBaseException().Message, OnnxRuntimeLibrary)}",
                e);
        }
    }

    /// <summary>What is measured, and on what.</summary>
    public static void Describe(int threads)
    {
        Console.WriteLine($"CPU: {Cpu()}, {Environment.ProcessorCount} logical; {RuntimeInformation.OSDescription}; {RuntimeInformation.FrameworkDescription}");
        Console.WriteLine($"NativeConv {Version(typeof(Model))} ({new ExecutionOptions().Level}), libtorch {torch.__version__} (TorchSharp {Version(typeof(torch))}), " +
            $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}; {threads} threads each");
    }

    private static string LibtorchCure(string message) => message switch
    {
        _ when message.Contains("GLIBCXX", StringComparison.Ordinal) =>
            "it needs the C++ library of GCC 13.2 or newer (symbol version GLIBCXX_3.4.32), which this system's libstdc++.so.6 does not have. Use a newer system " +
            "(Debian 13, Ubuntu 24.04: package libstdc++6), or put the directory of a newer libstdc++.so.6 (conda-forge's libstdcxx) first in LD_LIBRARY_PATH.",
        _ when message.Contains("GLIBC_", StringComparison.Ordinal) => "it needs a newer C library (package libc6) than this system has.",
        _ when RuntimeInformation.ProcessArchitecture != (OperatingSystem.IsMacOS() ? Architecture.Arm64 : Architecture.X64) =>
            $"there is no libtorch package for {RuntimeInformation.RuntimeIdentifier}; use an x64 Linux or Windows, or a Mac with Apple's processor.",
        _ => "its libraries are missing beside the program or lack something that they need: restore the package libtorch-cpu-* of this system and build again.",
    };

    /// <summary>What stopped the loader, without the places where there was nothing to load.</summary>
    private static string LoaderCause(string message, string library)
    {
        string[] causes = [.. message.Split('\n').Skip(1).Where(line => line.Trim().Length > 0 && !IsSearch(line))];
        return causes.Length > 0 ? string.Join(Environment.NewLine, causes) : message[..(message.IndexOf('.', StringComparison.Ordinal) + 1)];

        bool IsSearch(string line) => line.Contains(library, StringComparison.Ordinal) && line.Contains("cannot open shared object file", StringComparison.Ordinal);
    }

    private static string Version(Type type)
    {
        string version = type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "of unknown version";
        int commit = version.IndexOf('+', StringComparison.Ordinal);
        return commit < 0 ? version : version[..Math.Min(version.Length, commit + 8)];
    }

    private static string Cpu()
    {
        const string Key = "model name";
        string? line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
