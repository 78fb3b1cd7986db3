namespace NativeConv.Layers;

internal static class Windows
{
    public static ReceptiveWindow Of(Size2D kernel, Size2D stride, Size2D dilation) =>
        new(new(((kernel.Height - 1) * dilation.Height) + 1, ((kernel.Width - 1) * dilation.Width) + 1), stride);
}
