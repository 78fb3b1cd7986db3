using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Threading;

namespace NativeConv.Graph;

/// <summary>Runs predictions for one caller at a time: one stage, each worker carrying a few images through all layers.</summary>
internal sealed unsafe class InferenceExecutor
{
    private readonly Plan _plan;
    private readonly Node _output;
    private readonly Action<int> _body;
    private readonly int _outputLength;
    private readonly bool _areWeightsFixed;
    private float* _outputs;
    private int _count;

    public InferenceExecutor(Graph graph, ParameterStore parameters, ExecutionOptions options, bool areWeightsFixed = false, PlanMemory? memory = null)
    {
        Options = options;
        _output = graph.Output;
        _outputLength = _output.Shape.Length;
        // Predictions are not cut into chunks, so the batch size bounds only how many images a worker carries at once.
        _plan = new(graph, parameters, PlanKind.Inference, batchSize: int.MaxValue, options.ThreadCount, options.Level, null, memory: memory);
        _body = worker => _plan.RunInference(worker, _count, _outputs, _output);
        _areWeightsFixed = areWeightsFixed;
        if (areWeightsFixed)
            Pack();
    }

    public ExecutionOptions Options { get; }

    public void Run(ReadOnlySpan<float> images, Span<float> outputs, int count, bool probabilities)
    {
        if (!_areWeightsFixed)
            Pack();

        fixed (float* input = images, output = outputs)
        {
            _plan.SetImages(input);
            _outputs = output;
            _count = count;
            Workers.Run(_plan.BeginInference(count), _body);
            if (probabilities)
                SimdLevels.Dispatch<SoftmaxWork, bool>(Options.Level, new(output, count, _outputLength));
        }

        GC.KeepAlive(_plan);
    }

    private void Pack()
    {
        for (int worker = 0; worker < _plan.WorkerCount; worker++)
            _plan.Prepare(worker, seed: 0, step: 0);
    }

    private readonly struct SoftmaxWork(float* rows, int count, int classes) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            SoftmaxCrossEntropyKernel.Softmax<TVector>(rows, rows, count, classes);
            return true;
        }
    }
}
