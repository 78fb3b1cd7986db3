using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MnistTrainer;

/// <summary>The options of <c>finetune</c> that the other commands lack.</summary>
internal static class FineTuneCommandLine
{
    private static readonly Option<string[]> Freeze = Patterns("--freeze", "Leave the layers of these names as they are; * stands for any characters, as in 'separable*'.");
    private static readonly Option<string[]> Unfreeze = Patterns("--unfreeze", "Train the layers of these names though --freeze names them.");

    private static readonly Option<(string Pattern, float Factor)[]> RateFactors = new("--rate-factor")
    {
        Description = "Multiply the learning rate of a layer: NAME=FACTOR, as in 'conv2d*=0.1'. The last that matches holds.", HelpName = "NAME=FACTOR",
        CustomParser = ParseFactors, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> NewHead = new("--new-head") { Description = "Start with a new head even where the model knows the classes." };
    private static readonly Option<string?> Teacher = new("--teacher") { Description = "A model file to learn from beside the labels.", HelpName = "FILE" };
    private static readonly Option<float> Temperature = Number("--temperature", "What the outputs of --teacher and of the model are divided by, above 0.", 4, value => value > 0);
    private static readonly Option<float> TeacherWeight = Number("--teacher-weight", "What --teacher counts, 0 to 1; the labels count the rest.", 0.9f, value => value <= 1);
    private static readonly Option<int[]> PerClass = new("--per-class")
    {
        Description = "Learn from N images of every class, drawn at random; several numbers are compared.", HelpName = "N", AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> AgainstScratch = new("--against-scratch") { Description = "Compare with training the same network from scratch; no model is kept." };
    private static readonly Option<int> Seeds = Whole("--seeds", "Train with N seeds from --seed on and compare; no model is kept.", 1);
    private static readonly Option<int> Epochs = Whole(CommandLine.EpochsName, "How many times every image is seen, at least.", 5);
    private static readonly Option<int> LeastSteps = Whole("--least-steps", "Where images are few, add epochs until there are N steps.", 200);
    private static readonly Option<int> BatchSize = Whole(CommandLine.BatchSizeName, "Images a step.", 32);
    private static readonly Option<float> LearningRate = Number(CommandLine.LearningRateName, "The highest learning rate.", 1e-3f, value => value <= 1000);
    private static readonly Option<float?> ScratchLearningRate = new("--scratch-learning-rate") { Description = "The highest learning rate from scratch; the same unless set.", HelpName = "X" };
    private static readonly Option<bool> Augment = new(CommandLine.AugmentName) { Description = "Shift, turn, scale, shear and bend training images a little, anew in every epoch." };

    /// <param name="source">The options that say where images come from.</param>
    public static Command Build(IReadOnlyList<Option> source)
    {
        var command = new Command("finetune", "Goes on training a saved model with other images, or compares that with training from scratch.")
        {
            CommandLine.From, Freeze, Unfreeze, RateFactors, NewHead, Teacher, Temperature, TeacherWeight, PerClass, Augment, Epochs, LeastSteps, BatchSize, LearningRate,
            AgainstScratch, ScratchLearningRate, Seeds, CommandLine.Seed, CommandLine.Threads, CommandLine.Output, CommandLine.Resume, CommandLine.CheckpointEvery,
            CommandLine.StopAfterSteps,
        };
        foreach (Option option in source)
            command.Options.Add(option);

        Require(ScratchLearningRate, value => value <= 1000);
        PerClass.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens.Where(token => !int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1))
                result.AddError($"--per-class must be whole numbers of at least 1, but one is '{token.Value}'.");
        });
        command.Validators.Add(result =>
        {
            bool compares = IsGiven(AgainstScratch) || (result.GetResult(Seeds) is { Tokens: [{ Value: not "1" }] }) || result.GetResult(PerClass) is { Tokens.Count: > 1 };
            if (compares && IsGiven(CommandLine.Resume))
                result.AddError("--resume goes on with one training, not with a comparison.");

            if (!IsGiven(Teacher) && (IsGiven(Temperature) || IsGiven(TeacherWeight)))
                result.AddError("--temperature and --teacher-weight are for --teacher.");

            bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
        });
        command.SetAction((parsed, token) => FineTuneCommand.RunAsync(Read(parsed), token));
        return command;
    }

    private static FineTuneOptions Read(ParseResult parsed) => new()
    {
        Data = CommandLine.Source(parsed),
        From = parsed.GetValue(CommandLine.From),
        Freeze = parsed.GetRequiredValue(Freeze),
        Unfreeze = parsed.GetRequiredValue(Unfreeze),
        RateFactors = parsed.GetRequiredValue(RateFactors),
        NewHead = parsed.GetValue(NewHead),
        Teacher = parsed.GetValue(Teacher),
        Temperature = parsed.GetValue(Temperature),
        TeacherWeight = parsed.GetValue(TeacherWeight),
        PerClass = parsed.GetRequiredValue(PerClass),
        Augment = parsed.GetValue(Augment),
        Epochs = parsed.GetValue(Epochs),
        LeastSteps = parsed.GetValue(LeastSteps),
        BatchSize = parsed.GetValue(BatchSize),
        LearningRate = parsed.GetValue(LearningRate),
        AgainstScratch = parsed.GetValue(AgainstScratch),
        ScratchLearningRate = parsed.GetValue(ScratchLearningRate) ?? parsed.GetValue(LearningRate),
        Seeds = parsed.GetValue(Seeds),
        Seed = parsed.GetValue(CommandLine.Seed),
        Threads = parsed.GetValue(CommandLine.Threads),
        Output = parsed.GetValue(CommandLine.Output),
        Resume = parsed.GetValue(CommandLine.Resume),
        CheckpointEvery = parsed.GetValue(CommandLine.CheckpointEvery),
        StopAfterSteps = parsed.GetValue(CommandLine.StopAfterSteps),
    };

    private static Option<string[]> Patterns(string name, string description) => new(name)
    {
        Description = description, HelpName = "NAME", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [],
    };

    private static Option<int> Whole(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };
        CommandLine.AtLeast(option, 1);
        return option;
    }

    private static Option<float> Number(string name, string description, float value, Func<float, bool> isAllowed)
    {
        var option = new Option<float>(name) { Description = description, HelpName = "X", DefaultValueFactory = _ => value };
        Require(option, isAllowed);
        return option;
    }

    private static void Require(Option option, Func<float, bool> isAllowed) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !(float.TryParse(token.Value, CultureInfo.InvariantCulture, out float x) && x >= 0 && float.IsFinite(x) && isAllowed(x)))
            result.AddError($"{option.Name} cannot be '{token.Value}'.");
    });

    private static (string Pattern, float Factor)[] ParseFactors(ArgumentResult result)
    {
        var factors = new List<(string, float)>();
        foreach (Token token in result.Tokens)
        {
            int at = token.Value.LastIndexOf('=');
            if (at > 0 && float.TryParse(token.Value[(at + 1)..], CultureInfo.InvariantCulture, out float factor) && factor >= 0 && float.IsFinite(factor))
                factors.Add((token.Value[..at], factor));
            else
                result.AddError($"--rate-factor must be a name, '=' and a factor of at least 0, but one is '{token.Value}'.");
        }

        return [.. factors];
    }
}
