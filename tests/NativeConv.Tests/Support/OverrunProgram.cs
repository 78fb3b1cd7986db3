using System.Globalization;
using NativeConv.Layers;

namespace NativeConv.Tests.Support;

/// <summary>What the tests' assembly does when it is run as a program: it reads or writes one element of guarded memory, or one that lies beyond, which must end it.</summary>
internal static unsafe class OverrunProgram
{
    /// <summary>What there is to step beyond.</summary>
    public static IReadOnlyList<string> Blocks { get; } = ["values", "gradients", "statistics", "moments", "a parameter", "a parameter's gradient", "a file"];

    /// <param name="arguments">One of the blocks, a <see cref="Guard"/>, <c>read</c> or <c>write</c>, and how many elements beyond the last or the first one.</param>
    public static int Main(string[] arguments)
    {
        Guard guard = Enum.Parse<Guard>(arguments[1]);
        bool writes = arguments[2] == "write";
        int beyond = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        using var blocks = new GuardedBlocks(guard);
        Model model = EveryLayer.Build(seed: 1);
        model.Execution = new() { ThreadCount = 1 };
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), batchSize: 2);
        session.Step(TestData.Uniform(2 * model.InputShape.Length, 1), [0, 1]);
        using var store = new GuardedParameterStore(model, guard);
        ParameterView parameter = store.Views(model.Nodes.First(store.HasParameters))[0];
        using var file = new GuardedBlock<byte>([1, 2, 3], guard);
        Console.Write("ready");
        switch (arguments[0])
        {
            case "values":
                Touch(model.Store.Values.Pointer, model.Store.Values.Length);
                break;
            case "gradients":
                Touch(model.Store.Gradients.Pointer, model.Store.Gradients.Length);
                break;
            case "statistics":
                Touch(model.Store.State.Pointer, model.Store.State.Length);
                break;
            case "moments":
                Touch(session.OptimizerState.Moments.Pointer, session.OptimizerState.Moments.Length);
                break;
            case "a parameter":
                Touch(parameter.Value, parameter.Length);
                break;
            case "a parameter's gradient":
                Touch(parameter.Gradient, parameter.Length);
                break;
            default:
                Touch((byte*)file.Pin().Pointer, 3);
                break;
        }

        Console.Write(" done");
        return 0;

        void Touch<T>(T* first, int length)
            where T : unmanaged
        {
            T* at = guard == Guard.After ? first + length - 1 + beyond : first - beyond;
            if (writes)
                Volatile.Write(ref *(byte*)at, 1);
            else
                Volatile.Read(ref *(byte*)at);
        }
    }
}
