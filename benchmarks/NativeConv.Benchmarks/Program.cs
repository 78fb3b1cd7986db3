using BenchmarkDotNet.Running;
using NativeConv.Benchmarks;

// "step" times whole steps quickly; anything else goes to BenchmarkDotNet.
if (args is ["step", ..])
    return StepCommand.Build().Parse(args[1..]).Invoke();

BenchmarkSwitcher.FromAssembly(typeof(StepCommand).Assembly).Run(args);
return 0;
