namespace NativeConv.Graph;

/// <summary>Finds where numbers stopped being finite.</summary>
internal static unsafe class NonFinite
{
    /// <summary>Runs the batch forward once more with every layer's output kept, and finds the first one that is not finite.</summary>
    public static Node? Locate(Model model, ReadOnlySpan<float> images, int count, long step)
    {
        ExecutionOptions options = model.Execution;
        var plan = new Plan(model.Graph, model.Store, PlanKind.Diagnosis, count, options.ThreadCount, options.Level, null);
        new TrainingExecutor(plan, seed: 0).Forward(images, count, step);
        foreach (Node node in model.Nodes)
        {
            foreach (float value in new ReadOnlySpan<float>(plan.Output(node), count * node.Shape.Length))
            {
                if (!float.IsFinite(value))
                    return node;
            }
        }

        GC.KeepAlive(plan);
        return null;
    }
}
