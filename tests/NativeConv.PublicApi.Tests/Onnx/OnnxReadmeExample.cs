namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>The example of the package's README, line for line.</summary>
internal static class OnnxReadmeExample
{
    public static (Model Model, Model Same) Run()
    {
        // The example starts here.
        Model model = Model.Load("network.safetensors");
        model.SaveOnnx("network.onnx");                  // ONNX Runtime and others run it
        Model same = Model.LoadOnnx("network.onnx");     // predicts the same, and can be trained on
        // The example ends here.
        return (model, same);
    }
}
