using System.Security.Cryptography;

namespace NativeConv.Data;

/// <summary>What is known of a data set that has a name: its files, its classes, its quirks.</summary>
internal sealed record DatasetSource
{
    private static readonly string[] Digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    private static readonly string[] Capitals = [.. Enumerable.Range('A', 26).Select(letter => ((char)letter).ToString())];
    private static readonly string[] SmallLetters = [.. Enumerable.Range('a', 26).Select(letter => ((char)letter).ToString())];

    /// <summary>EMNIST's merged classes: small letters that look like their capitals share theirs.</summary>
    private static readonly string[] Merged = [.. Digits, .. Capitals, "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"];

    private static readonly string[] IdxNames = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    /// <summary>Every data set, by the order in which they are listed.</summary>
    public static IReadOnlyList<DatasetSource> All { get; } =
    [
        new()
        {
            Name = "mnist",
            Title = "MNIST",
            ClassNames = Digits,
            Mirrors = [new("https://ossci-datasets.s3.amazonaws.com/mnist/"), new("https://storage.googleapis.com/cvdf-datasets/mnist/")],
            Downloads = Gzip(
                HashAlgorithmName.SHA256,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        },
        new()
        {
            Name = "fashion-mnist",
            Title = "Fashion-MNIST",
            ClassNames = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            Mirrors = [new("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")],
            Downloads = Gzip(
                HashAlgorithmName.MD5,
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe", "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
        },
        new()
        {
            Name = "kmnist",
            Title = "KMNIST",
            ClassNames = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
            Mirrors = [new("http://codh.rois.ac.jp/kmnist/dataset/kmnist/")],
            Downloads = Gzip(
                HashAlgorithmName.MD5,
                "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344", "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"),
        },
        Emnist("balanced", Merged),
        Emnist("letters", Capitals) with { FirstLabel = 1 },
        Emnist("digits", Digits),
        Emnist("mnist", Digits),
        Emnist("byclass", [.. Digits, .. Capitals, .. SmallLetters]),
        Emnist("bymerge", Merged),
    ];

    /// <summary>Its name, as users give it.</summary>
    public required string Name { get; init; }

    /// <summary>Its name, as its makers write it.</summary>
    public required string Title { get; init; }

    /// <summary>What its classes are called.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The folder of its own in the cache and beside other data sets; splits of one archive share it.</summary>
    public string Folder { get => field ?? Name; init; }

    /// <summary>Training images, training labels, test images, test labels, without <c>.gz</c>.</summary>
    public IReadOnlyList<string> Files { get; init; } = IdxNames;

    /// <summary>The zip file that holds the files; null where they come one by one.</summary>
    public string? Archive { get; init; }

    /// <summary>The label of the first class.</summary>
    public int FirstLabel { get; init; }

    /// <summary>Whether images are stored column by column.</summary>
    public bool IsTransposed { get; init; }

    /// <summary>Where its files are to be had.</summary>
    public required IReadOnlyList<Uri> Mirrors { get; init; }

    /// <summary>What is downloaded.</summary>
    public required IReadOnlyList<RemoteFile> Downloads { get; init; }

    /// <summary>No file of it is as large.</summary>
    public long LargestDownload { get; init; } = 64 << 20;

    private static DatasetSource Emnist(string split, IReadOnlyList<string> classNames) => new()
    {
        Name = $"emnist-{split}",
        Title = "EMNIST",
        Folder = "emnist",
        ClassNames = classNames,
        Files = [.. ((string[])["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"]).Select(part => $"emnist-{split}-{part}-ubyte")],
        Archive = "gzip.zip",
        IsTransposed = true,
        Mirrors = [new("https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/")],
        Downloads = [new("gzip.zip", HashAlgorithmName.MD5, "58c8d27c78d21e728a6bc7b3cc06412e", OfContents: false)],
        LargestDownload = 1 << 30,
    };

    /// <summary>MNIST's hash is of its files' contents, for its mirrors compress them differently.</summary>
    private static RemoteFile[] Gzip(HashAlgorithmName algorithm, params string[] hashes) =>
        [.. IdxNames.Zip(hashes, (name, hash) => new RemoteFile(name + ".gz", algorithm, hash, OfContents: algorithm == HashAlgorithmName.SHA256))];
}
