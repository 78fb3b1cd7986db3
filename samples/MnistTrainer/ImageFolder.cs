using NativeConv;

namespace MnistTrainer;

/// <summary>
/// A folder of the user's own pictures: one folder a class, or a folder <c>train</c> and a folder <c>test</c> of such. Where there is no test folder, a fifth of every class is
/// held out for tests. Grey where every picture is, else in colour.
/// </summary>
/// <param name="Path">The folder.</param>
/// <param name="Size">The side that pictures are brought to; null where they have one size already.</param>
/// <param name="Grey">Whether colours become grey.</param>
internal sealed record ImageFolder(string Path, int? Size, bool Grey)
{
    private const double HeldOut = 0.2;
    private const ulong SplitSeed = 1;

    /// <exception cref="IOException">A folder or a file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is no picture, or no folder holds any.</exception>
    /// <exception cref="ArgumentException">Pictures differ in size and no size is set.</exception>
    public TrainTest Load()
    {
        if (!Directory.Exists(Path))
            throw new DirectoryNotFoundException($"There is no folder '{Path}' to read pictures from.");

        string train = System.IO.Path.Combine(Path, "train"), test = System.IO.Path.Combine(Path, "test");
        bool isSplit = Directory.Exists(train) && Directory.Exists(test);
        string[] classes = [.. Directory.EnumerateDirectories(isSplit ? train : Path).Select(folder => System.IO.Path.GetFileName(folder)).Order(StringComparer.Ordinal)];
        if (classes.Length == 0)
            throw new InvalidDataException($"'{(isSplit ? train : Path)}' has no folders: there must be one for each class, with its pictures in it.");

        List<(ImageFile Image, int Label)> training = Read(isSplit ? train : Path, classes), testing = isSplit ? Read(test, classes) : [];
        int channels = !Grey && training.Concat(testing).Any(image => !image.Image.IsGrey()) ? 3 : 1;
        Dataset images = ToDataset(training, classes, channels);
        if (isSplit)
            return new(images, ToDataset(testing, classes, channels));

        (Dataset kept, Dataset held) = images.SplitStratified(HeldOut, SplitSeed);
        return held.Count > 0
            ? new(kept, held)
            : throw new InvalidDataException($"'{Path}' has too few pictures to hold some out for tests: a class needs at least three.");
    }

    private List<(ImageFile Image, int Label)> Read(string folder, string[] classes)
    {
        foreach (string unknown in Directory.EnumerateDirectories(folder).Select(sub => System.IO.Path.GetFileName(sub)).Except(classes))
            throw new InvalidDataException($"'{folder}' has a class '{unknown}' that there are no pictures to learn from.");

        var images = new List<(ImageFile, int)>();
        ImageFile? first = null;
        for (int label = 0; label < classes.Length; label++)
        {
            string own = System.IO.Path.Combine(folder, classes[label]);
            string[] files = Directory.Exists(own) ? [.. Directory.EnumerateFiles(own).Where(ImageFile.IsImage).Order(StringComparer.Ordinal)] : [];
            if (files.Length == 0)
                throw new InvalidDataException($"'{own}' has no pictures: PNG, JPEG, BMP, GIF or TGA files.");

            foreach (string file in files)
            {
                ImageFile image = ImageFile.Read(file);
                image = Size is { } size ? image.Resize(size, size) : image;
                first ??= image;
                if ((image.Height, image.Width) != (first.Height, first.Width))
                {
                    throw new ArgumentException(
                        $"'{image.Path}' is {image.Height}x{image.Width}, but '{first.Path}' is {first.Height}x{first.Width}: bring all pictures to one size with --image-size.");
                }

                images.Add((image, label));
            }
        }

        return images;
    }

    private static Dataset ToDataset(List<(ImageFile Image, int Label)> images, string[] classes, int channels)
    {
        var shape = new ImageShape(images[0].Image.Height, images[0].Image.Width, channels);
        byte[] pixels = new byte[images.Count * shape.Length];
        for (int i = 0; i < images.Count; i++)
            images[i].Image.Channels(channels).CopyTo(pixels, i * shape.Length);

        return Dataset.From(pixels, shape, images.Select(image => image.Label).ToArray(), classes);
    }
}
