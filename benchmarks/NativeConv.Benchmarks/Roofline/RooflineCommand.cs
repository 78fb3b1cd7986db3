using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Roofline;

/// <summary>Measures the machine's limits, then every convolution kernel against them. Needs a quiet machine.</summary>
internal static class RooflineCommand
{
    private enum Pass
    {
        Forward,
        BackwardInput,
        BackwardWeights,

        /// <summary>Both gradients, in one sweep where the kernel can.</summary>
        Backward,
    }

    public static RootCommand Build()
    {
        var threads = new Option<int[]>("--threads") { DefaultValueFactory = _ => [1, Environment.ProcessorCount], AllowMultipleArgumentsPerToken = true };
        var level = new Option<SimdLevel>("--level") { DefaultValueFactory = _ => SimdLevels.Default };
        var kernel = new Option<string?>("--kernel") { Description = "Only kernels whose row contains this." };
        var shapes = new Option<ConvolutionShape[]>("--shape")
        {
            Description = "These shapes instead, as the rows show them: \"depthwise 1x28x28x64->64 3x3 d2\".",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = result =>
            {
                try
                {
                    return [.. result.Tokens.Select(token => ConvolutionShape.Parse(token.Value))];
                }
                catch (FormatException exception)
                {
                    result.AddError(exception.Message);
                    return [];
                }
            },
        };
        var json = new Option<string?>("--json") { Description = "Also writes the rows to this file." };
        var command = new RootCommand("Measures kernels against the machine's limits.") { threads, level, kernel, shapes, json };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(threads), parsed.GetValue(level), parsed.GetValue(shapes) is { Length: > 0 } given ? given : ConvolutionShape.Roofline, parsed.GetValue(kernel), parsed.GetValue(json)));
        return command;
    }

    private static int Run(int[] threadCounts, SimdLevel level, ConvolutionShape[] shapes, string? only, string? json)
    {
        var rows = new JsonArray();
        foreach (int threads in threadCounts.Distinct())
        {
            var machine = Machine.Measure(level, threads);
            string bandwidths = string.Join(", ", machine.Bandwidths.Select(memory => string.Create(CultureInfo.InvariantCulture, $"{memory.Name} {memory.Gbps:F0} GB/s")));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{level}, {threads} threads: {machine.PeakGflops:F0} GFLOP/s, copy {bandwidths}"));
            Console.WriteLine("kernel     pass             shape                                 ms    GFLOP/s  % peak    GB/s  % copy  bound");
            foreach (ConvolutionShape shape in shapes.Where(shape => only == null || $"{shape.Kernel} {shape}".Contains(only, StringComparison.OrdinalIgnoreCase)))
            {
                foreach (Pass pass in Enum.GetValues<Pass>().Where(pass => pass != Pass.Backward || shape.Kernel == ConvolutionShape.Depthwise))
                    rows.Add(Row(machine, level, threads, shape, pass));
            }
        }

        if (json != null)
            File.WriteAllText(json, rows.ToJsonString(new() { WriteIndented = true }));

        return 0;
    }

    private static JsonObject Row(Machine machine, SimdLevel level, int threads, ConvolutionShape shape, Pass pass)
    {
        double seconds = SimdLevels.Dispatch<Work, double>(level, new(shape, pass, threads));
        double flops = shape.Flops * shape.Images * (pass == Pass.Backward ? 2 : 1);
        double gflops = flops * threads / seconds / 1e9, peak = 100 * gflops / machine.PeakGflops;
        // What must move: each tensor once.
        long inputs = pass == Pass.Backward ? 2 : 1;
        long footprint = sizeof(float) * ((shape.Images * ((inputs * shape.InputLength) + shape.OutputLength)) + (inputs * shape.WeightsLength));
        double gbps = (double)footprint * threads / seconds / 1e9, copy = machine.BandwidthOf(footprint), bandwidth = 100 * gbps / copy;
        string bound = flops * threads / machine.PeakGflops >= (double)footprint * threads / copy ? "compute" : "memory";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{shape.Kernel,-10} {pass,-16} {shape,-32} {seconds * 1e3,9:F3} {gflops,9:F1} {peak,7:F1} {gbps,7:F1} {bandwidth,7:F1}  {bound}"));
        return new()
        {
            ["kernel"] = shape.Kernel, ["pass"] = pass.ToString(), ["shape"] = shape.ToString(), ["level"] = level.ToString(), ["threads"] = threads,
            ["ms"] = seconds * 1e3, ["gflops"] = gflops, ["peak_percent"] = peak, ["gbps"] = gbps, ["bandwidth_percent"] = bandwidth, ["bound"] = bound,
        };
    }

    /// <summary>Every thread computes images of its own, weights packed beforehand, as in a step.</summary>
    private readonly unsafe struct Work(ConvolutionShape shape, Pass pass, int threads) : ISimdWork<double>
    {
        public double Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = shape.Kernel == ConvolutionShape.Depthwise
                ? ConvolutionAlgorithm<TVector>.Depthwise(shape.Geometry, shape.Channels, shape.Filters / shape.Channels)
                : ConvolutionAlgorithm<TVector>.Dense(shape.Geometry, shape.Channels, shape.Filters, 1);
            int images = shape.Images;
            Pass what = pass;
            AlignedMemory[] x = Values.Blocks(threads, images * shape.InputLength), y = Values.Blocks(threads, images * shape.OutputLength);
            AlignedMemory[] scratch = Values.Blocks(threads, algorithm.ScratchLength), gradient = Values.Blocks(threads, shape.WeightsLength);
            AlignedMemory[] dx = Values.Blocks(threads, pass == Pass.Backward ? images * shape.InputLength : 0);
            AlignedMemory weights = Values.Block(shape.WeightsLength), forward = new(algorithm.ForwardPackedLength), backward = new(algorithm.BackwardPackedLength);
            algorithm.PackForward(weights.Pointer, null, forward.Pointer);
            algorithm.PackBackward(weights.Pointer, backward.Pointer);
            return Timing.Best(threads, worker =>
            {
                switch (what)
                {
                    case Pass.Forward:
                        algorithm.Forward(x[worker].Pointer, forward.Pointer, y[worker].Pointer, scratch[worker].Pointer, images);
                        break;
                    case Pass.BackwardInput:
                        algorithm.BackwardInput(y[worker].Pointer, backward.Pointer, x[worker].Pointer, scratch[worker].Pointer, images);
                        break;
                    case Pass.Backward:
                        algorithm.Backward(
                            x[worker].Pointer, y[worker].Pointer, backward.Pointer, dx[worker].Pointer, gradient[worker].Pointer, scratch[worker].Pointer, images);
                        break;
                    default:
                        algorithm.BackwardWeights(x[worker].Pointer, y[worker].Pointer, gradient[worker].Pointer, scratch[worker].Pointer, images);
                        break;
                }
            });
        }
    }
}
