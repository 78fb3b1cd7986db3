namespace NativeConv.Graph;

/// <summary>Executors for predictions: one for each caller at a time, kept for the next one. Safe to use from many threads.</summary>
/// <param name="graph">What is computed.</param>
/// <param name="parameters">With which weights.</param>
/// <param name="areWeightsFixed">Whether the parameters never change, so that weights are packed but once.</param>
internal sealed class InferencePool(Graph graph, ParameterStore parameters, bool areWeightsFixed)
{
    private readonly Lock _lock = new();
    private readonly Stack<InferenceExecutor> _idle = new();

    public InferenceExecutor Rent(ExecutionOptions options)
    {
        lock (_lock)
        {
            while (_idle.TryPop(out InferenceExecutor? idle))
            {
                if (idle.Options == options)
                    return idle;
            }
        }

        return new(graph, parameters, options, areWeightsFixed);
    }

    public void Return(InferenceExecutor executor)
    {
        lock (_lock)
            _idle.Push(executor);
    }
}
