using System.CommandLine;
using System.CommandLine.Parsing;

namespace MnistTrainer;

/// <summary>The commands and their options.</summary>
internal static class CommandLine
{
    public const string DatasetName = "--dataset", RecipeName = "--recipe", EpochsName = "--epochs", BatchSizeName = "--batch-size";
    public const string LearningRateName = "--learning-rate", SeedName = "--seed", LimitName = "--limit", ValidationName = "--validation";
    public const string ImagesName = "--images", ImageSizeName = "--image-size", GreyName = "--grey", ClassesName = "--classes", AugmentName = "--augment", WidthName = "--width";

    private static readonly Option<string> Dataset = new Option<string>(DatasetName)
    {
        Description = "The images to learn from; synthetic digits are drawn by code.", DefaultValueFactory = _ => DataSource.Mnist,
    }.AcceptOnlyFromAmong([.. DataSource.Names]);

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "A folder with the data set's files, raw or gzip; else NATIVECONV_DATA, the cache or a download.", HelpName = "DIR",
    };

    private static readonly Option<string?> Images = new(ImagesName)
    {
        Description = "A folder of your own pictures instead of a data set: one folder a class, or such in a folder train and a folder test.", HelpName = "DIR",
    };

    private static readonly Option<int?> ImageSize = new(ImageSizeName) { Description = "Bring every picture of --images to N x N pixels.", HelpName = "N" };
    private static readonly Option<bool> Grey = new(GreyName, "--gray") { Description = "Make the pictures of --images grey." };
    private static readonly Option<ClassRange?> Classes = new(ClassesName)
    {
        Description = "Only the classes from A to B, counted from 0.", HelpName = "A-B", CustomParser = ParseClasses,
    };

    private static readonly Option<bool?> Augment = new(AugmentName)
    {
        Description = "Shift, turn, scale, shear and bend training images a little, anew in every epoch; the recipe's own choice unless set.",
    };

    private static readonly Option<string> RecipeOption = new Option<string>(RecipeName, "--model")
    {
        Description = "The network, and how it is trained where no other option says so.", DefaultValueFactory = _ => Recipes.Default,
    }.AcceptOnlyFromAmong([.. Recipes.Names]);

    private static readonly Option<int?> Epochs = new(EpochsName) { Description = "How many times every image is seen; the recipe's own unless set.", HelpName = "N" };
    private static readonly Option<int?> BatchSize = new(BatchSizeName) { Description = "Images a step; the recipe's own unless set.", HelpName = "N" };
    internal static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads that work at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount, HelpName = "N",
    };

    private static readonly Option<int?> Limit = new(LimitName) { Description = "Use the first N training images.", HelpName = "N" };
    private static readonly Option<int> Validation = new(ValidationName)
    {
        Description = "Hold out the last N training images, and stop early when they get no better.", HelpName = "N",
    };

    internal static readonly Option<ulong> Seed = new(SeedName) { Description = "Equal seeds give equal weights, bit for bit.", DefaultValueFactory = _ => 42 };
    private static readonly Option<float?> LearningRate = new(LearningRateName) { Description = "The highest learning rate; the recipe's own unless set." };
    private static readonly Option<float?> Width = new(WidthName) { Description = "Multiply the network's channels by this." };
    private static readonly Option<bool> Search = new("--search")
    {
        Description = "First search for the learning rate, batch size and width, but for those that are set, on held-out training images; then train with the best.",
    };

    private static readonly Option<int> SearchTrials = new("--search-trials") { Description = "How many settings a search tries.", DefaultValueFactory = _ => 8, HelpName = "N" };
    internal static readonly Option<string?> Output = new("--output") { Description = "The folder for the model and the report; runs/<time> unless set.", HelpName = "DIR" };
    internal static readonly Option<bool> Resume = new("--resume")
    {
        Description = "Go on with the run in --output, the newest unless set, from its checkpoint; its own options hold.",
    };

    internal static readonly Option<int?> CheckpointEvery = new("--checkpoint-every") { Description = "Save a checkpoint every N steps too, not only every epoch.", HelpName = "N" };
    internal static readonly Option<int?> StopAfterSteps = new("--stop-after-steps") { Description = "Stop after N steps; --resume goes on.", HelpName = "N" };
    private static readonly Option<bool> TensorBoard = new("--tensorboard") { Description = "Write an event file for TensorBoard to the output folder too." };
    internal static readonly Option<string?> From = new("--from") { Description = "A model file; the newest run's unless set.", HelpName = "FILE" };

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "What to write: ONNX for other runtimes, or this library's own file.", Required = true,
    }.AcceptOnlyFromAmong(ExportCommand.Onnx, ExportCommand.Safetensors);

    private static readonly Option<string> To = new("--to") { Description = "The file to write.", HelpName = "FILE", Required = true };

    private static readonly Argument<string[]> Pictures = new("pictures")
    {
        Description = "PNG or JPEG files, or the numbers of test images, counted from 0.", Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> Plain = new("--plain")
    {
        Description = "Only bring pictures to the model's size. Without it, a picture for a model of digits is made like MNIST's: inverted where it is dark on light, cropped and centred.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print classes and probabilities as JSON." };

    public static RootCommand Build()
    {
        AtLeast(Epochs, 1);
        AtLeast(BatchSize, 1);
        AtLeast(Threads, 1);
        AtLeast(Limit, 1);
        AtLeast(Validation, 0);
        AtLeast(ImageSize, 1);
        AtLeast(CheckpointEvery, 1);
        AtLeast(StopAfterSteps, 1);
        AtLeast(SearchTrials, 1);
        Width.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<float?>() is not (>= 0.05f and <= 20))
                result.AddError($"--width must be a number from 0.05 to 20, but is '{result.Tokens[0].Value}'.");
        });
        LearningRate.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<float?>() is not (>= 0 and <= 1000))
                result.AddError("--learning-rate must be a number from 0 to 1000.");
        });
        Pictures.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens.Where(token => long.TryParse(token.Value, out long index) && index is < 0 or > int.MaxValue))
                result.AddError($"A test image's number must be 0 or more, but is '{token.Value}'.");
        });

        Option[] source = [Dataset, Data, Images, ImageSize, Grey, Classes];
        Option[] training =
        [
            .. source, RecipeOption, Augment, Epochs, BatchSize, LearningRate, Seed, Threads, Limit, Validation, Output, Resume, CheckpointEvery, StopAfterSteps, TensorBoard, Width, Search,
            SearchTrials,
        ];
        var root = new RootCommand("Trains a convolutional network to read handwritten digits, in pure C#.");
        var train = new Command("train", "Trains, evaluates, saves and reports (the default).");
        foreach (Option option in training)
        {
            root.Options.Add(option);
            train.Options.Add(option);
        }

        Func<ParseResult, CancellationToken, Task<int>> run = (parsed, token) => TrainCommand.RunAsync(
            new()
            {
                Data = Source(parsed),
                Recipe = Recipes.Get(parsed.GetRequiredValue(RecipeOption))
                    .With(parsed.GetValue(Epochs), parsed.GetValue(BatchSize), parsed.GetValue(LearningRate), parsed.GetValue(Augment), parsed.GetValue(Width)),
                Seed = parsed.GetValue(Seed),
                Threads = parsed.GetValue(Threads),
                Limit = parsed.GetValue(Limit),
                Validation = parsed.GetValue(Validation),
                Output = parsed.GetValue(Output),
                Resume = parsed.GetValue(Resume),
                CheckpointEvery = parsed.GetValue(CheckpointEvery),
                StopAfterSteps = parsed.GetValue(StopAfterSteps),
                TensorBoard = parsed.GetValue(TensorBoard),
                Search = parsed.GetValue(Search),
                SearchTrials = parsed.GetValue(SearchTrials),
                Given = training.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name).ToHashSet(),
            },
            token);
        root.SetAction(run);
        train.SetAction(run);
        var evaluate = new Command("evaluate", "Measures a saved model on the test images.") { Threads, From };
        evaluate.SetAction((parsed, token) => EvaluateCommand.RunAsync(Source(parsed), parsed.GetValue(From), parsed.GetValue(Threads), token));
        var predict = new Command("predict", "Shows pictures or test images, what is read in each and the probabilities.") { Pictures, From, Plain, Json };
        predict.SetAction((parsed, token) => PredictCommand.RunAsync(
            Source(parsed), parsed.GetValue(From), parsed.GetRequiredValue(Pictures), parsed.GetValue(Plain), parsed.GetValue(Json), token));
        foreach (Command command in (Command[])[evaluate, predict])
        {
            foreach (Option option in source)
                command.Options.Add(option);
        }

        Command finetune = FineTuneCommandLine.Build(source);
        foreach (Command command in (Command[])[root, train, evaluate, predict, finetune])
            command.Validators.Add(RequireOneSource);

        var export = new Command("export", "Writes a saved model as a file of another format.") { Format, To, From };
        export.SetAction(parsed => ExportCommand.Run(parsed.GetValue(From), parsed.GetRequiredValue(Format), parsed.GetRequiredValue(To)));
        root.Subcommands.Add(train);
        root.Subcommands.Add(evaluate);
        root.Subcommands.Add(predict);
        root.Subcommands.Add(finetune);
        root.Subcommands.Add(export);
        return root;
    }

    public static RootCommand RootCommand(this ParseResult parsed) => (RootCommand)parsed.RootCommandResult.Command;

    internal static DataSource Source(ParseResult parsed) => new(
        parsed.GetRequiredValue(Dataset), parsed.GetValue(Data),
        parsed.GetValue(Images) is { } folder ? new(folder, parsed.GetValue(ImageSize), parsed.GetValue(Grey)) : null,
        parsed.GetValue(Classes));

    private static void RequireOneSource(SymbolResult result)
    {
        bool hasImages = IsGiven(Images);
        if (hasImages && (IsGiven(Dataset) || IsGiven(Data)))
            result.AddError("--images takes the place of --dataset and --data.");

        if (!hasImages && (IsGiven(ImageSize) || IsGiven(Grey)))
            result.AddError("--image-size and --grey are for --images.");

        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
    }

    private static ClassRange? ParseClasses(ArgumentResult result)
    {
        ClassRange? classes = ClassRange.Parse(result.Tokens[0].Value);
        if (classes == null)
            result.AddError($"--classes must be two numbers from 0 with a dash between them, as in 5-9, but is '{result.Tokens[0].Value}'.");

        return classes;
    }

    internal static void AtLeast<T>(Option<T> option, int least) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out int value) || value < least))
            result.AddError($"{option.Name} must be a whole number of at least {least}, but is '{result.Tokens[0].Value}'.");
    });
}
