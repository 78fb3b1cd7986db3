using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Threading;

namespace NativeConv.Graph;

/// <summary>Runs predictions for one caller at a time: each worker carries a few images through all layers, and what images are left then, all workers together.</summary>
internal sealed unsafe class InferenceExecutor : IPhasedWork
{
    private readonly Plan _plan;
    private readonly WorkerTeam _team;
    private readonly int _outputLength;
    private readonly bool _areWeightsFixed;
    private float* _outputs;
    private int _whole, _rest;

    public InferenceExecutor(Graph graph, ParameterStore parameters, ExecutionOptions options, bool areWeightsFixed = false, PlanMemory? memory = null,
        SharingLimits? sharing = null)
    {
        Options = options;
        _outputLength = graph.Output.Shape.Length;
        // Predictions are not cut into chunks, so the batch size bounds only how many images a worker carries at once.
        _plan = new(graph, parameters, PlanKind.Inference, batchSize: int.MaxValue, options.ThreadCount, options.Level, null, memory: memory, sharing: sharing);
        _team = new(this);
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
            _whole = _plan.WholeImages(count);
            _rest = count - _whole;
            // Phase 0 has the images that one worker carries, the others those that are shared.
            int workers = _whole == 0 ? 1 : Math.Min(_plan.GroupCount(_whole), _plan.WorkerCount), phases = 1;
            if (_rest > 0)
                (workers, phases) = (Math.Max(workers, _plan.BeginShared(_rest)), 1 + _plan.SharedPhaseCount);

            _team.Run(workers, 0, phases);
            for (int image = 0; image < _rest; image++)
                _plan.WriteShared(_whole + image, image, output);

            if (probabilities)
                SimdLevels.Dispatch<SoftmaxWork, bool>(Options.Level, new(output, count, _outputLength));
        }

        GC.KeepAlive(_plan);
    }

    int IPhasedWork.Begin(int phase)
    {
        if (phase == 0)
            return _whole == 0 ? 0 : _plan.GroupCount(_whole);

        return _rest * _plan.SharedParts(phase - 1);
    }

    void IPhasedWork.Run(int phase, int part, int worker)
    {
        if (phase == 0)
        {
            _plan.RunGroup(part, worker, _whole, _outputs);
            return;
        }

        int parts = _plan.SharedParts(phase - 1), place = part / parts;
        _plan.RunShared(phase - 1, _whole + place, place, new(part % parts, parts), worker);
    }

    private void Pack()
    {
        for (int part = 0; part < _plan.PreparationCount; part++)
            _plan.Prepare(part, seed: 0, step: 0);
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
