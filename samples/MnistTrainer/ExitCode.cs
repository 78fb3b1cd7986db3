namespace MnistTrainer;

internal static class ExitCode
{
    public const int Success = 0, Failure = 1, BadUsage = 2;
}
