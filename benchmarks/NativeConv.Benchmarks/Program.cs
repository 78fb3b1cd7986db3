using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using NativeConv.Benchmarks;
using NativeConv.Benchmarks.Roofline;

// "step" times whole steps, "threads" what threads gain on them, "floors" what they need at least, "roofline" kernels against the machine's limits; anything else goes to BenchmarkDotNet.
switch (args)
{
    case ["step", ..]:
        return StepCommand.Build().Parse(args[1..]).Invoke();
    case ["threads", ..]:
        return ThreadsCommand.Build().Parse(args[1..]).Invoke();
    case ["floors", ..]:
        return FloorsCommand.Build().Parse(args[1..]).Invoke();
    case ["roofline", ..]:
        return RooflineCommand.Build().Parse(args[1..]).Invoke();
}

// Shapes are longer than what a column shows by default.
BenchmarkSwitcher.FromAssembly(typeof(StepCommand).Assembly)
    .Run(args, DefaultConfig.Instance.WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(40)));
return 0;
