using NativeConv;

namespace MnistTrainer;

/// <summary>The recipes that the trainer knows.</summary>
internal static class Recipes
{
    public const string Default = "separable";

    /// <summary>What <c>--augment</c> does where a recipe has nothing of its own: as much as leaves a digit of 28 x 28 pixels itself.</summary>
    public static Augmentation Augmentation { get; } = new() { Shift = 2, Rotation = 10, Scale = 0.1f, Shear = 0.15f, Elastic = 1.5f };

    private static readonly Dictionary<string, Recipe> ByName = new Recipe[]
    {
        new("separable", Networks.Separable) { LearningRate = 4e-3f, Schedule = LearningRateSchedule.OneCycle() },
        new("keras", Networks.Keras),
        new("section43", Networks.Section43),
        new("best", Networks.Best)
        {
            Epochs = 30, LearningRate = 4e-3f, Schedule = LearningRateSchedule.OneCycle(), Augmentation = Augmentation, Averaging = new(0.998),
        },
        new("tiny", Networks.Tiny)
        {
            Epochs = 40, LearningRate = 8e-3f, Schedule = LearningRateSchedule.OneCycle(), Averaging = new(0.998),
            Augmentation = new() { Shift = 1.5f, Rotation = 7, Scale = 0.07f, Shear = 0.1f, Elastic = 1 },
        },
        new("quick", Networks.Quick) { Epochs = 2, LearningRate = 2e-2f, Schedule = LearningRateSchedule.OneCycle() },
    }.ToDictionary(recipe => recipe.Name);

    public static IEnumerable<string> Names => ByName.Keys;

    public static Recipe Get(string name) => ByName[name];
}
