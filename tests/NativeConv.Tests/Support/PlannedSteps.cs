using NativeConv.Graph;

namespace NativeConv.Tests.Support;

/// <summary>Two training steps of a plan under some limits.</summary>
internal static class PlannedSteps
{
    /// <summary>The gradients and the state after a whole batch and one with two images less; the model is left as it is.</summary>
    public static float[] Run(Model model, int batch, int threads, SimdLevel level, BandLimits? bands = null, RecomputeLimits? recompute = null)
    {
        ParameterStore store = model.Clone().Store;
        var plan = new Plan(model.Graph, store, PlanKind.Training, batch, threads, level, Loss.SoftmaxCrossEntropy(), bands: bands, recompute: recompute);
        var executor = new TrainingExecutor(plan, seed: 3);
        float[] images = TestData.Uniform(batch * model.InputShape.Length, 1);
        TestData.Labels(batch, model.OutputShape.Length, 2).CopyTo(plan.Loss!.Labels);
        executor.Run(images, batch, step: 0);
        executor.Run(images.AsSpan(0, (batch - 2) * model.InputShape.Length), batch - 2, step: 1);
        return [.. store.Gradients.Span, .. store.State.Span];
    }
}
