using System.CommandLine;
using System.Globalization;
using MnistTrainer;
using NativeConv.Benchmarks.Roofline;
using NativeConv.Simd;

namespace NativeConv.Benchmarks;

/// <summary>
/// What a step and a prediction need at least: their multiply-adds at the machine's peak, measured in the same run. Taps outside the image do not count, nor zeros behind a max-pooling, nor gradients
/// that nothing needs, but maxima that a rectifier made zero do, as they depend on the images; neither do memory, normalization, activations and the optimizer.
/// </summary>
internal static class FloorsCommand
{
    public static RootCommand Build()
    {
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => Environment.ProcessorCount };
        var command = new RootCommand("Calculates what steps and predictions need at least, from the peak that it measures.") { threads };
        command.SetAction(parsed => Run(parsed.GetValue(threads)));
        return command;
    }

    private static int Run(int threads)
    {
        double peak = Machine.Measure(SimdLevels.Default, threads).PeakGflops;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{SimdLevels.Default}, {threads} threads: {peak:F0} GFLOP/s; milliseconds at that peak"));
        Console.WriteLine("network            batch      step  prediction   MFLOP an image: step  prediction");
        foreach ((string name, int[] batches) in new (string, int[])[] { ("keras", [128, 32]), ("section43", [128, 32]), ("separable", [128, 32]), (DilatedMobileNet.Name, [8]) })
        {
            Model model = name == DilatedMobileNet.Name ? DilatedMobileNet.Build(seed: 42) : Recipes.Get(name).Build(42);
            double forward = 2e-6 * model.Nodes.Sum(Forward), step = forward + (2e-6 * model.Nodes.Sum(node => Backward(model, node)));
            foreach (int batch in batches)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{name,-18} batch {batch,-3} {step * batch / peak,6:F1}      {forward * batch / peak,6:F2}             {step,12:F2}  {forward,10:F2}"));
            }
        }

        return 0;
    }

    /// <summary>Multiply-adds of an image.</summary>
    private static double Forward(Node node)
    {
        ImageShape input = node.Inputs.Count > 0 ? node.Inputs[0].Shape : default;
        return node.Layer switch
        {
            Conv2D layer => Inside(layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding) * input.Channels / layer.Groups * node.Shape.Channels,
            DepthwiseConv2D layer => Inside(layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding) * node.Shape.Channels,
            PointwiseConv2D or Dense => node.Layer.MultiplyAdds([input]),
            _ => 0,
        };

        double Inside(Size2D window, Size2D stride, Size2D dilation, Padding padding) =>
            ConvolutionShape.TapsInside(new(input.Height, input.Width, window, stride, dilation, padding));
    }

    /// <summary>Of both gradients: the input's only where a layer below is trained; behind a max-pooling one cell of a window has one.</summary>
    private static double Backward(Model model, Node node)
    {
        int gradients = model.Nodes.Any(below => below.Index < node.Index && model.Store.HasParameters(below)) ? 2 : 1;
        Node reader = node;
        do
            reader = model.Nodes.FirstOrDefault(next => next.Inputs.Contains(reader)) ?? node;
        while (reader.Layer is ActivationLayer && reader != node);

        return gradients * Forward(node) / (reader.Layer is MaxPool2D { IsSparseBackward: true } pooling ? pooling.PoolSize.Height * pooling.PoolSize.Width : 1);
    }
}
