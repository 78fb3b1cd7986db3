namespace NativeConv.PublicApi.Tests;

/// <summary>The README's example, line for line.</summary>
internal static class ReadmeExample
{
    public static (Evaluation Evaluation, float[] Probabilities) Run()
    {
        // The example starts here.
        Dataset train = DrawnDigits.Create(2000, seed: 1), test = DrawnDigits.Create(500, seed: 2);
        Model model = new ModelBuilder(height: 28, width: 28, channels: 1)
            .Normalize(scale: 1f / 255, mean: 0.1307f, deviation: 0.3081f)
            .Conv2D(16, kernelSize: 3, stride: 2, useBias: false).BatchNormalization().ReLU()
            .SeparableConv2D(32, kernelSize: 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
            .MaxPool2D(2).Flatten().Dense(10)
            .Build(seed: 42);
        Console.WriteLine(model.Summary());
        model.Fit(train, options: new FitOptions { Epochs = 3, BatchSize = 32, Optimizer = new Adam(3e-3f) });
        Evaluation evaluation = model.Evaluate(test);
        Console.WriteLine(evaluation);
        model.Save("digits.safetensors");
        Model digits = Model.Load("digits.safetensors");
        float[] image = new float[28 * 28], probabilities = new float[10];
        test.CopyImages([7], image);
        digits.PredictProbabilities(image, probabilities);
        // The example ends here.
        return (evaluation, probabilities);
    }
}
