namespace NativeConv.Kernels;

/// <summary>Work that is written once for every activation.</summary>
internal interface IActivationWork<out TResult>
{
    TResult Run<TActivation>()
        where TActivation : struct, IActivation;
}

/// <summary>The one place that turns an activation's name into its function.</summary>
internal static class ActivationDispatch
{
    public static TResult Run<TWork, TResult>(Activation activation, TWork work)
        where TWork : IActivationWork<TResult> => activation switch
        {
            Activation.Linear => work.Run<LinearFunction>(),
            Activation.ReLU => work.Run<ReluFunction>(),
            Activation.ReLU6 => work.Run<Relu6Function>(),
            Activation.LeakyReLU => work.Run<LeakyReluFunction>(),
            Activation.Elu => work.Run<EluFunction>(),
            Activation.Sigmoid => work.Run<SigmoidFunction>(),
            Activation.Tanh => work.Run<TanhFunction>(),
            Activation.SiLU => work.Run<SiluFunction>(),
            Activation.HardSwish => work.Run<HardSwishFunction>(),
            Activation.HardSigmoid => work.Run<HardSigmoidFunction>(),
            Activation.Gelu => work.Run<GeluFunction>(),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "There is no such activation."),
        };
}
