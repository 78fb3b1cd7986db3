namespace NativeConv.Tests.Support;

/// <summary>
/// Every layer and loss but convolution, forward only and in double precision, written for reading rather than speed.
/// <see cref="GradientCheck"/> turns each into a check of its backward pass. Images are [n, h, w, c].
/// </summary>
public static class LayerOracle
{
    /// <summary>The largest cell of each window; x and the result as in <see cref="PoolingCase"/>.</summary>
    public static double[] MaxPool(PoolingCase sizes, double[] x) => Pool(sizes, x, cells => cells.Max());

    /// <summary>The average of the cells of each window that lie inside the image.</summary>
    public static double[] AveragePool(PoolingCase sizes, double[] x) => Pool(sizes, x, cells => cells.Average());

    /// <summary>[n, pixels, c] -> [n, c]: the average over pixels.</summary>
    public static double[] GlobalAveragePool(int images, int pixels, int channels, double[] x)
    {
        var y = new double[images * channels];
        for (int i = 0; i < x.Length; i++)
            y[(i / (pixels * channels) * channels) + (i % channels)] += x[i] / pixels;
        return y;
    }

    /// <summary>y = gamma * (x - mean) / sqrt(variance + epsilon) + beta by the mean and biased variance of each channel.</summary>
    public static double[] BatchNormalization(double[] x, double[] gamma, double[] beta, double epsilon = 1e-5)
    {
        (double[] mean, double[] variance) = Moments(x, gamma.Length);
        return BatchNormalization(x, gamma, beta, mean, variance, epsilon);
    }

    /// <summary>The same by given moments: inference.</summary>
    public static double[] BatchNormalization(
        double[] x, double[] gamma, double[] beta, double[] mean, double[] variance, double epsilon = 1e-5)
    {
        var y = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int c = i % gamma.Length;
            y[i] = (gamma[c] * (x[i] - mean[c]) / Math.Sqrt(variance[c] + epsilon)) + beta[c];
        }

        return y;
    }

    /// <summary>Mean and biased variance of each channel, in two passes.</summary>
    public static (double[] Mean, double[] Variance) Moments(double[] x, int channels)
    {
        double[] mean = new double[channels], variance = new double[channels];
        int count = x.Length / channels;
        for (int i = 0; i < x.Length; i++)
            mean[i % channels] += x[i] / count;
        for (int i = 0; i < x.Length; i++)
            variance[i % channels] += (x[i] - mean[i % channels]) * (x[i] - mean[i % channels]) / count;
        return (mean, variance);
    }

    /// <summary>Running moments after one update: momentum weighs the new batch, whose variance counts unbiased.</summary>
    public static (double[] Mean, double[] Variance) UpdateRunning(
        double[] runningMean, double[] runningVariance, double[] x, double momentum = 0.1)
    {
        int channels = runningMean.Length, count = x.Length / channels;
        (double[] mean, double[] variance) = Moments(x, channels);
        return (
            [.. runningMean.Zip(mean, (old, batch) => ((1 - momentum) * old) + (momentum * batch))],
            [.. runningVariance.Zip(variance, (old, batch) => ((1 - momentum) * old) + (momentum * batch * count / (count - 1)))]);
    }

    /// <summary>[rows, inputs] x [inputs, outputs] + b -> [rows, outputs].</summary>
    public static double[] Dense(double[] x, double[] w, double[]? b, int inputs, int outputs)
    {
        var y = new double[x.Length / inputs * outputs];
        for (int i = 0; i < y.Length; i++)
        {
            (int row, int output) = Math.DivRem(i, outputs);
            double sum = b is null ? 0 : b[output];
            for (int input = 0; input < inputs; input++)
                sum += x[(row * inputs) + input] * w[(input * outputs) + output];
            y[i] = sum;
        }

        return y;
    }

    /// <summary>
    /// An activation by its golden name: linear, relu, relu6, leaky_relu, elu, sigmoid, tanh, silu, hard_swish, hard_sigmoid or gelu.
    /// </summary>
    public static double Activation(string function, double x) => function switch
    {
        "linear" => x,
        "relu" => Math.Max(x, 0),
        "relu6" => Math.Clamp(x, 0, 6),
        "leaky_relu" => x > 0 ? x : 0.01 * x,
        "elu" => x > 0 ? x : Math.Exp(x) - 1,
        "sigmoid" => Sigmoid(x),
        "tanh" => Math.Tanh(x),
        "silu" => x * Sigmoid(x),
        "hard_sigmoid" => Math.Clamp(x + 3, 0, 6) / 6,
        "hard_swish" => x * Math.Clamp(x + 3, 0, 6) / 6,
        "gelu" => x * (1 + Erf(x / Math.Sqrt(2))) / 2,
        _ => throw new ArgumentException($"There is no activation '{function}'.", nameof(function)),
    };

    /// <inheritdoc cref="Activation(string, double)"/>
    public static double[] Activation(string function, double[] x) => Array.ConvertAll(x, value => Activation(function, value));

    /// <summary>Each row's exponentials over their sum.</summary>
    public static double[] Softmax(double[] logits, int classes) =>
        [.. logits.Chunk(classes).SelectMany(row =>
        {
            double largest = row.Max(), sum = row.Sum(logit => Math.Exp(logit - largest));
            return row.Select(logit => Math.Exp(logit - largest) / sum);
        })];

    /// <summary>The batch's average of -sum(target * log softmax); smoothing spreads its share of the target over all classes.</summary>
    public static double SoftmaxCrossEntropy(double[] logits, int[] labels, int classes, double labelSmoothing = 0) =>
        logits.Chunk(classes).Zip(labels, (row, label) =>
        {
            double largest = row.Max(), logSum = largest + Math.Log(row.Sum(logit => Math.Exp(logit - largest)));
            return logSum - ((1 - labelSmoothing) * row[label]) - (labelSmoothing * row.Average());
        }).Average();

    /// <summary>The mean over rows of T² Σ p log(p / q), with p and q the teacher's and the student's probabilities at temperature T.</summary>
    public static double Distillation(double[] student, double[] teacher, int classes, double temperature) =>
        student.Chunk(classes).Zip(teacher.Chunk(classes), (z, t) =>
        {
            double[] q = LogProbabilities(z), p = LogProbabilities(t);
            return temperature * temperature * p.Zip(q, (a, b) => Math.Exp(a) * (a - b)).Sum();

            double[] LogProbabilities(double[] row)
            {
                double largest = row.Max() / temperature, logSum = largest + Math.Log(row.Sum(logit => Math.Exp((logit / temperature) - largest)));
                return Array.ConvertAll(row, logit => (logit / temperature) - logSum);
            }
        }).Average();

    /// <summary>The sum of equally shaped inputs.</summary>
    public static double[] Add(params double[][] inputs) =>
        [.. Enumerable.Range(0, inputs[0].Length).Select(i => inputs.Sum(input => input[i]))];

    /// <summary>
    /// The product of [n, pixels, c] with another of the same shape, or with a gate of [n, 1, c] for all pixels (squeeze-and-excitation).
    /// </summary>
    public static double[] Multiply(int images, int channels, double[] x, double[] gate)
    {
        int xLength = x.Length / images, gateLength = gate.Length / images;
        if (gateLength != xLength && gateLength != channels)
            throw new ArgumentException($"A gate of {gateLength} values an image does not fit {xLength}.", nameof(gate));
        return [.. x.Select((value, i) => value * gate[(i / xLength * gateLength) + (i % xLength % gateLength)])];
    }

    /// <summary>Joins [pixels, c_k] inputs along channels: [pixels, sum of c_k].</summary>
    public static double[] Concat(int pixels, params double[][] inputs) =>
        [.. Enumerable.Range(0, pixels).SelectMany(pixel =>
            inputs.SelectMany(input => input.Skip(pixel * (input.Length / pixels)).Take(input.Length / pixels)))];

    /// <summary>
    /// The error function to double precision: erf(x) = 2/sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)), whose terms
    /// all have one sign, so that nothing cancels (Abramowitz and Stegun 7.1.6).
    /// </summary>
    public static double Erf(double x)
    {
        // Beyond 6, 1 - erf is below half a unit in the last place.
        if (double.IsNaN(x) || Math.Abs(x) > 6)
            return double.IsNaN(x) ? x : Math.Sign(x);

        double term = x, sum = x;
        for (int n = 1; sum != sum + term || n == 1; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double[] Pool(PoolingCase sizes, double[] x, Func<List<double>, double> reduce)
    {
        Conv2DGeometry g = sizes.Geometry;
        var y = new double[sizes.OutputLength];
        var cells = new List<double>();
        for (int i = 0; i < y.Length; i++)
        {
            (int pixel, int channel) = Math.DivRem(i, sizes.Channels);
            (int imageRow, int column) = Math.DivRem(pixel, g.OutputWidth);
            (int image, int row) = Math.DivRem(imageRow, g.OutputHeight);
            cells.Clear();
            for (int tap = 0; tap < g.KernelHeight * g.KernelWidth; tap++)
            {
                int inputRow = (row * g.StrideHeight) + (tap / g.KernelWidth * g.DilationHeight) - g.PadTop;
                int inputColumn = (column * g.StrideWidth) + (tap % g.KernelWidth * g.DilationWidth) - g.PadLeft;
                if (inputRow >= 0 && inputRow < g.InputHeight && inputColumn >= 0 && inputColumn < g.InputWidth)
                    cells.Add(x[(((((image * g.InputHeight) + inputRow) * g.InputWidth) + inputColumn) * sizes.Channels) + channel]);
            }

            y[i] = reduce(cells);
        }

        return y;
    }
}
