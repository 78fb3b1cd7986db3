using NativeConv.Training;

namespace NativeConv;

/// <summary>Training and evaluation of a model on whole data sets.</summary>
public static class ModelTraining
{
    /// <summary>Images that are predicted at once.</summary>
    private const int EvaluationBatch = 500;

    /// <summary>Trains the model in place. Equal models, data and options give equal bits, whatever the number of threads.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="validation">Images to watch after each epoch; null for none.</param>
    /// <param name="options">How to train.</param>
    /// <returns>What each epoch gave. A cancelled training returns what it did; the model keeps what it learned.</returns>
    /// <exception cref="ArgumentException">The data does not fit the model, or is empty; or the state to go on from belongs to another training.</exception>
    /// <exception cref="InvalidDataException">The state to go on from contradicts itself.</exception>
    /// <exception cref="NonFiniteException">A loss or gradient is not finite. The model keeps its last good weights.</exception>
    public static History Fit(this Model model, Dataset train, Dataset? validation = null, FitOptions? options = null)
    {
        CheckFit(model, train, nameof(train));
        if (validation != null)
            CheckFit(model, validation, nameof(validation));

        return new TrainingRun(model, train, validation, options ?? new()).Run();
    }

    /// <summary>Measures the model on a data set.</summary>
    /// <param name="model">What is measured.</param>
    /// <param name="data">Labelled images.</param>
    /// <param name="loss">What is averaged as the loss; softmax cross-entropy unless set.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="ArgumentException">The data does not fit the model, or is empty.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Evaluation Evaluate(this Model model, Dataset data, Loss? loss = null, CancellationToken cancellationToken = default)
    {
        CheckFit(model, data, nameof(data));
        loss ??= Loss.SoftmaxCrossEntropy();
        int classes = model.OutputShape.Length, batch = Math.Min(EvaluationBatch, data.Count);
        float[] images = new float[batch * model.InputShape.Length], logits = new float[batch * classes];
        int[] labels = new int[batch], indices = new int[batch];
        long[,] confusion = new long[classes, classes];
        double total = 0;
        for (int first = 0; first < data.Count; first += batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(batch, data.Count - first);
            for (int i = 0; i < count; i++)
                indices[i] = first + i;

            data.CopyImages(indices.AsSpan(0, count), images);
            data.CopyLabels(indices.AsSpan(0, count), labels);
            Span<float> outputs = logits.AsSpan(0, count * classes);
            model.Predict(images.AsSpan(0, count * model.InputShape.Length), outputs);
            total += (double)loss.Evaluate(outputs, labels.AsSpan(0, count)) * count;
            for (int i = 0; i < count; i++)
                confusion[labels[i], Graph.LossProgram.Largest(outputs.Slice(i * classes, classes))]++;
        }

        return new(total / data.Count, confusion, model.ClassNames.Count == classes ? model.ClassNames : data.ClassCount == classes ? data.ClassNames : null);
    }

    private static void CheckFit(Model model, Dataset data, string parameter)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data, parameter);
        if (data.Count == 0)
            throw new ArgumentException("The data set has no images.", parameter);

        if (data.Shape != model.InputShape)
            throw new ArgumentException($"The model takes images of {model.InputShape}, but the data set holds {data.Shape}.", parameter);

        if (data.ClassCount > model.OutputShape.Length)
            throw new ArgumentException($"The data set has {data.ClassCount} classes, but the model {model.OutputShape.Length} outputs.", parameter);
    }
}
