namespace NativeConv.Tests.Support;

/// <summary>Runs golden operators, layers, optimizers and networks through the public surface, and holds what they give to the golden values.</summary>
internal static class GoldenOperators
{
    private static readonly Dictionary<string, Activation> Functions = new()
    {
        ["relu"] = Activation.ReLU, ["relu6"] = Activation.ReLU6, ["leaky_relu"] = Activation.LeakyReLU, ["elu"] = Activation.Elu,
        ["sigmoid"] = Activation.Sigmoid, ["tanh"] = Activation.Tanh, ["silu"] = Activation.SiLU, ["hard_swish"] = Activation.HardSwish,
        ["hardswish"] = Activation.HardSwish, ["hard_sigmoid"] = Activation.HardSigmoid, ["hardsigmoid"] = Activation.HardSigmoid, ["gelu"] = Activation.Gelu,
    };

    /// <summary>Everything that computes a case's operator.</summary>
    public static void Check(GoldenCase golden, ExecutionOptions execution)
    {
        switch (golden.Op)
        {
            case "conv":
                CheckConvolution(golden, execution);
                break;
            case "depthwise":
                CheckDepthwiseConvolution(golden, execution);
                break;
            case "dense":
                CheckFullyConnected(golden, execution);
                CheckDenseLayer(golden, execution);
                break;
            case "maxpool":
                CheckMaxPooling(golden, execution);
                break;
            case "avgpool":
                CheckAveragePooling(golden, execution);
                break;
            case "global_avgpool":
                CheckGlobalAveragePooling(golden, execution);
                break;
            case "activation":
                CheckActivation(golden, execution);
                break;
            case "softmax_cross_entropy":
                CheckSoftmaxCrossEntropy(golden, execution);
                break;
            case "batchnorm":
                CheckBatchNormalization(golden, execution);
                CheckBatchNormalizationLayer(golden, execution);
                break;
            case "optimizer":
                CheckOptimizer(golden, execution);
                break;
            case "network":
                new GoldenNetwork(golden).CheckThreeSteps(execution);
                break;
            default:
                throw new ArgumentException($"No operator is '{golden.Op}'.", nameof(golden));
        }
    }

    public static void CheckConvolution(GoldenCase golden, ExecutionOptions execution)
    {
        ConvolutionCase c = golden.Convolution;
        float[] y = new float[c.OutputLength], dx = new float[c.InputLength], dw = new float[c.WeightsLength];
        Convolution.Forward(c.Geometry, c.InputChannels, c.OutputChannels, golden["x"], golden["w"], golden.Find("b"), y, c.Groups, execution);
        Convolution.BackwardInput(c.Geometry, c.InputChannels, c.OutputChannels, golden["dy"], golden["w"], dx, c.Groups, execution);
        Convolution.BackwardWeights(c.Geometry, c.InputChannels, c.OutputChannels, golden["x"], golden["dy"], dw, c.Groups, execution);
        Match(golden, y, dx);
        golden.ShouldMatch(dw, "dw");
    }

    public static void CheckDepthwiseConvolution(GoldenCase golden, ExecutionOptions execution)
    {
        ConvolutionCase c = golden.Convolution;
        int multiplier = c.OutputChannels / c.InputChannels;
        float[] y = new float[c.OutputLength], dx = new float[c.InputLength], dw = new float[c.WeightsLength];
        DepthwiseConvolution.Forward(c.Geometry, c.InputChannels, golden["x"], golden["w"], golden.Find("b"), y, multiplier, execution);
        DepthwiseConvolution.BackwardInput(c.Geometry, c.InputChannels, golden["dy"], golden["w"], dx, multiplier, execution);
        DepthwiseConvolution.BackwardWeights(c.Geometry, c.InputChannels, golden["x"], golden["dy"], dw, multiplier, execution);
        Match(golden, y, dx);
        golden.ShouldMatch(dw, "dw");
    }

    public static void CheckFullyConnected(GoldenCase golden, ExecutionOptions execution)
    {
        int inputs = golden.Shape("w")[0], outputs = golden.Shape("w")[1];
        float[] y = new float[golden["y"].Length], dx = new float[golden["x"].Length], dw = new float[inputs * outputs];
        FullyConnected.Forward(inputs, outputs, golden["x"], golden["w"], golden["b"], y, execution);
        FullyConnected.BackwardInput(inputs, outputs, golden["dy"], golden["w"], dx, execution);
        FullyConnected.BackwardWeights(inputs, outputs, golden["x"], golden["dy"], dw, execution);
        Match(golden, y, dx);
        golden.ShouldMatch(dw, "dw");
    }

    public static void CheckDenseLayer(GoldenCase golden, ExecutionOptions execution)
    {
        int inputs = golden.Shape("w")[0];
        Model model = new ModelBuilder(1, 1, inputs).Dense(golden.Shape("w")[1]).Build();
        model.Execution = execution;
        golden["w"].CopyTo(model.Parameter("dense.kernel").Value.Span);
        golden["b"].CopyTo(model.Parameter("dense.bias").Value.Span);
        float[] y = new float[golden["y"].Length];
        model.Forward(golden["x"], y);
        model.Backward(golden["dy"]);
        golden.ShouldMatch(y, "y");
        golden.ShouldMatch(model.Parameter("dense.kernel").Gradient!.Span, "dw");
        golden.ShouldMatch(model.Parameter("dense.bias").Gradient!.Span, "db");
    }

    public static void CheckMaxPooling(GoldenCase golden, ExecutionOptions execution)
    {
        float[] y = new float[golden["y"].Length], dx = new float[golden["x"].Length];
        byte[] winners = new byte[y.Length];
        Pooling.MaxForward(golden.Geometry, golden.Shape("x")[3], golden["x"], y, winners, execution);
        Pooling.MaxBackward(golden.Geometry, golden.Shape("x")[3], golden["dy"], winners, dx, execution);
        Match(golden, y, dx);
    }

    public static void CheckAveragePooling(GoldenCase golden, ExecutionOptions execution)
    {
        float[] y = new float[golden["y"].Length], dx = new float[golden["x"].Length];
        Pooling.AverageForward(golden.Geometry, golden.Shape("x")[3], golden["x"], y, execution);
        Pooling.AverageBackward(golden.Geometry, golden.Shape("x")[3], golden["dy"], dx, execution);
        Match(golden, y, dx);
    }

    public static void CheckGlobalAveragePooling(GoldenCase golden, ExecutionOptions execution)
    {
        int[] shape = golden.Shape("x");
        float[] y = new float[golden["y"].Length], dx = new float[golden["x"].Length];
        Pooling.GlobalAverageForward(new(shape[1], shape[2], shape[3]), golden["x"], y, execution);
        Pooling.GlobalAverageBackward(new(shape[1], shape[2], shape[3]), golden["dy"], dx, execution);
        Match(golden, y, dx);
    }

    public static void CheckActivation(GoldenCase golden, ExecutionOptions execution)
    {
        Activation function = Functions[golden.Text("function")];
        float[] y = new float[golden["x"].Length], dx = new float[y.Length];
        Activations.Forward(function, golden["x"], y, execution);
        Activations.Backward(function, golden["x"], golden["dy"], dx, execution);
        Match(golden, y, dx);
    }

    public static void CheckSoftmaxCrossEntropy(GoldenCase golden, ExecutionOptions execution)
    {
        int classes = golden.Shape("logits")[1];
        int[] labels = Array.ConvertAll(golden["labels"], label => (int)label);
        float[] probabilities = new float[golden["logits"].Length], gradient = new float[probabilities.Length];
        Activations.Softmax(golden["logits"], classes, probabilities, execution);
        golden.ShouldMatch(probabilities, "probabilities");
        Loss loss = Loss.SoftmaxCrossEntropy((float)golden.Double("label_smoothing"));
        golden.ShouldMatch([loss.Evaluate(golden["logits"], labels, gradient, execution.Level)], "loss");
        golden.ShouldMatch(gradient, "dlogits");
    }

    public static void CheckBatchNormalization(GoldenCase golden, ExecutionOptions execution)
    {
        int channels = golden.Shape("x")[3];
        float epsilon = (float)golden.Double("epsilon");
        float[] x = golden["x"], y = new float[x.Length], dx = new float[x.Length], mean = new float[channels], variance = new float[channels];
        float[] gamma = golden["gamma"], dgamma = new float[channels], dbeta = new float[channels];
        Normalization.Forward(channels, x, gamma, golden["beta"], epsilon, y, mean, variance, execution);
        Normalization.Backward(channels, x, golden["dy"], gamma, mean, variance, epsilon, dx, dgamma, dbeta, execution);
        Match(golden, y, dx);
        golden.ShouldMatch(dgamma, "dgamma");
        golden.ShouldMatch(dbeta, "dbeta");
        Normalization.Inference(channels, x, gamma, golden["beta"], golden["running_mean"], golden["running_var"], epsilon, y, execution);
        golden.ShouldMatch(y, "y_inference");
    }

    public static void CheckBatchNormalizationLayer(GoldenCase golden, ExecutionOptions execution)
    {
        int[] shape = golden.Shape("x");
        Model model = new ModelBuilder(shape[1], shape[2], shape[3]).BatchNormalization((float)golden.Double("momentum"), (float)golden.Double("epsilon")).Build();
        model.Execution = execution;
        golden["gamma"].CopyTo(model.Parameter("batch_normalization.gamma").Value.Span);
        golden["beta"].CopyTo(model.Parameter("batch_normalization.beta").Value.Span);
        float[] y = new float[golden["y"].Length];
        model.Forward(golden["x"], y);
        model.Backward(golden["dy"]);
        golden.ShouldMatch(y, "y");
        golden.ShouldMatch(model.Parameter("batch_normalization.gamma").Gradient!.Span, "dgamma");
        golden.ShouldMatch(model.Parameter("batch_normalization.beta").Gradient!.Span, "dbeta");
        golden.ShouldMatch(model.Parameter("batch_normalization.running_mean").Value.Span, "running_mean");
        golden.ShouldMatch(model.Parameter("batch_normalization.running_var").Value.Span, "running_var");
        model.Predict(golden["x"], y);
        golden.ShouldMatch(y, "y_inference");
    }

    public static void CheckOptimizer(GoldenCase golden, ExecutionOptions execution)
    {
        float rate = (float)golden.Double("lr");
        Optimizer optimizer = golden.Name.Split('_')[0] switch
        {
            "sgd" => new Sgd(rate, (float)golden.Double("momentum"), golden.Flag("nesterov")),
            "rmsprop" => new RmsProp(rate, (float)golden.Double("alpha"), (float)golden.Double("eps")),
            "adamw" => new AdamW(rate, (float)golden.Double("weight_decay"), (float)golden.Doubles("betas")[0], (float)golden.Doubles("betas")[1], (float)golden.Double("eps")),
            _ => new Adam(rate, (float)golden.Doubles("betas")[0], (float)golden.Doubles("betas")[1], (float)golden.Double("eps")),
        };
        float[] initial = golden["initial"], gradients = golden["gradients"], weights = new float[gradients.Length];
        Model model = new ModelBuilder(1, 1, initial.Length).Dense(1, useBias: false).Build();
        model.Execution = execution;
        Parameter parameter = model.Parameter("dense.kernel");
        initial.CopyTo(parameter.Value.Span);
        for (int step = 0; step < 12; step++)
        {
            gradients.AsSpan(step * initial.Length, initial.Length).CopyTo(parameter.Gradient!.Span);
            model.Step(optimizer);
            parameter.Value.Span.CopyTo(weights.AsSpan(step * initial.Length));
        }

        golden.ShouldMatch(weights, "weights");
    }

    private static void Match(GoldenCase golden, float[] y, float[] dx)
    {
        golden.ShouldMatch(y, "y");
        golden.ShouldMatch(dx, "dx");
    }
}
