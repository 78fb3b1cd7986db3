using System.Runtime.InteropServices;
using TorchSharp;

namespace NativeConv.PeerBenchmarks.Peers;

/// <summary>Copies between NativeConv's layouts and libtorch's: images [n, h, w, c] and [n, c, h, w], kernels [kh, kw, c, o] and [o, c, kh, kw].</summary>
internal static class TorchTensors
{
    /// <summary>libtorch's name of a memory format.</summary>
    public static string FormatName(bool channelsLast) => channelsLast ? "channels last" : "contiguous";

    public static torch.Tensor FromImages(Tensor images, bool channelsLast) => From(images, channelsLast, 0, 3, 1, 2);

    /// <summary>A depthwise kernel is [kh, kw, 1, c m] here.</summary>
    public static torch.Tensor FromKernel(Tensor kernel, bool channelsLast) => From(kernel, channelsLast, 3, 2, 0, 1);

    public static float[] ToImages(torch.Tensor images) => Values(images, 0, 2, 3, 1);

    public static float[] ToKernel(torch.Tensor kernel) => Values(kernel, 2, 3, 1, 0);

    /// <summary>The values in row-major order, as they are.</summary>
    public static float[] Values(torch.Tensor tensor)
    {
        using torch.Tensor detached = tensor.detach(), contiguous = detached.contiguous();
        return MemoryMarshal.Cast<byte, float>(contiguous.bytes).ToArray();
    }

    private static torch.Tensor From(Tensor values, bool channelsLast, params long[] order)
    {
        using torch.Tensor shared = torch.tensor(values.Memory, Array.ConvertAll(values.Shape.ToArray(), size => (long)size));
        using torch.Tensor nchw = shared.permute(order);
        if (!channelsLast)
            return Own(nchw);

        // TorchSharp has no call that sets the memory format of a tensor; the strides are the format.
        using torch.Tensor nhwc = nchw.permute(0, 2, 3, 1), own = Own(nhwc);
        return own.permute(0, 3, 1, 2);
    }

    /// <summary>A copy in row-major order, strides of dimensions of one included: libtorch takes the memory format from them, and a clone would keep others.</summary>
    private static torch.Tensor Own(torch.Tensor tensor)
    {
        torch.Tensor own = torch.empty(tensor.shape);
        return own.copy_(tensor);
    }

    private static float[] Values(torch.Tensor tensor, params long[] order)
    {
        using torch.Tensor permuted = tensor.permute(order);
        return Values(permuted);
    }
}
