using NativeConv;

namespace MnistTrainer;

/// <summary>What a model sees of a picture.</summary>
internal static class PictureInput
{
    /// <summary>A picture as the model's input: made like MNIST's for a model of digits or letters, else brought to its size, grey or in colour.</summary>
    /// <param name="model">The model.</param>
    /// <param name="picture">The picture, of any size.</param>
    /// <param name="plain">Whether it is brought to the model's size whatever the model reads.</param>
    /// <exception cref="InvalidDataException">There is nothing on the picture of a digit.</exception>
    /// <exception cref="ArgumentException">The model takes neither grey images nor colours.</exception>
    public static float[] From(Model model, ImageFile picture, bool plain)
    {
        ImageShape shape = model.InputShape;
        if (!plain && ReadsCharacters(model))
        {
            float[] digit = new float[shape.Length];
            return DigitPicture.TryPrepare(picture.Pixels, picture.Shape, digit)
                ? digit
                : throw new InvalidDataException($"{picture.Path}: the picture is blank: nothing on it stands out from its border.");
        }

        if (shape.Channels is not (1 or 3))
            throw new ArgumentException($"The model takes images of {shape}, but a picture has 1 channel or 3.");

        return [.. picture.Resize(shape.Height, shape.Width).Channels(shape.Channels).Select(level => (float)level)];
    }

    private static bool ReadsCharacters(Model model) => model.InputShape == new ImageShape(DigitPicture.Side, DigitPicture.Side, 1)
        && model.ClassNames.All(name => name.Length == 1 && char.IsAsciiLetterOrDigit(name[0]));
}
