namespace NativeConv.Onnx.Export;

/// <summary>The tensor that holds a node's output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Image">
/// The shape of the images [N, C, H, W] that it is; null where it is vectors [N, L] in the library's order, height, width, channel. A flattened image
/// stays an image until something needs its vector, so that a dense layer takes it as it is, its weights permuted.
/// </param>
internal readonly record struct ExportedValue(string Name, ImageShape? Image);
