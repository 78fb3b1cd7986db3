using System.IO.Compression;
using NativeConv.Data;

namespace NativeConv;

/// <summary>
/// A public data set of grey images by its name: from a folder, from the cache, or downloaded, verified and cached. <c>mnist</c> (LeCun, Cortes and Burges), <c>fashion-mnist</c>
/// (Xiao, Rasul and Vollgraf, 2017), <c>kmnist</c> (Clanuwat et al., 2018) and EMNIST (Cohen et al., 2017): <c>emnist-balanced</c>, <c>emnist-letters</c>, <c>emnist-digits</c>,
/// <c>emnist-mnist</c>, <c>emnist-byclass</c>, <c>emnist-bymerge</c>, whose images are stored transposed, and letters labelled from 1; here they stand upright and count from 0.
/// </summary>
public sealed class NamedDataset
{
    /// <summary>The environment variable that names a folder with the files.</summary>
    public const string FolderVariable = "NATIVECONV_DATA";

    private readonly DatasetSource _source;

    /// <summary>Finds a data set.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public NamedDataset(string name)
    {
        _source = DatasetSource.All.FirstOrDefault(source => source.Name == name)
            ?? throw new ArgumentException($"There is no data set '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
        CacheFolder = Path.Combine(UserCache(), "nativeconv", _source.Folder);
        Mirrors = _source.Mirrors;
        Downloads = _source.Downloads;
    }

    /// <summary>The names of all data sets.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. DatasetSource.All.Select(source => source.Name)];

    /// <summary>Its name, one of <see cref="Names"/>.</summary>
    public string Name => _source.Name;

    /// <summary>What its classes are called, in order of their labels. KMNIST's are its characters in Latin letters; EMNIST's letters are capitals where both cases share a class.</summary>
    public IReadOnlyList<string> ClassNames => _source.ClassNames;

    /// <summary>Where files are kept between runs; a folder of the user's own unless set.</summary>
    public string CacheFolder { get; init; }

    /// <summary>Where the files are downloaded from, the first that delivers; each ends in a slash.</summary>
    public IReadOnlyList<Uri> Mirrors { get; init; }

    /// <summary>How long a server may take to accept a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is downloaded, and what it must be.</summary>
    internal IReadOnlyList<RemoteFile> Downloads { get; init; }

    /// <summary>Reads the data set from a folder: its four IDX files, raw or gzip, or for EMNIST also the zip file of all splits.</summary>
    /// <param name="folder">The folder, or one that has a folder of the data set's name in it: MNIST, Fashion-MNIST and KMNIST have files of the same names.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file breaks the format's rules, or images and labels do not belong together.</exception>
    public TrainTest Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to read {_source.Title} from.");

        string own = Path.Combine(folder, _source.Folder);
        if (Directory.Exists(own))
            folder = own;

        using ZipArchive? archive = OpenArchive(folder);
        return new(Load(folder, archive, 0), Load(folder, archive, 2));
    }

    /// <summary>Reads the data set from the folder that the environment names, else from the cache, else downloads it.</summary>
    /// <param name="progress">Is told how a download goes.</param>
    /// <param name="cancellationToken">Ends a download.</param>
    /// <exception cref="HttpRequestException">Nothing is cached and no mirror delivered; the message tells why each did not.</exception>
    /// <exception cref="IOException">The folder or a file is missing, or a file cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">A file breaks the format's rules.</exception>
    public async Task<TrainTest> LoadAsync(IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (!string.IsNullOrEmpty(folder))
            return Load(folder);

        await DownloadAsync(progress, cancellationToken).ConfigureAwait(false);
        return Load(CacheFolder);
    }

    /// <summary>Downloads every file that is not in the cache, and keeps those that are right.</summary>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="cancellationToken">Ends it; no part of a file stays.</param>
    /// <exception cref="HttpRequestException">No mirror delivered a file; the message tells why each did not.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task DownloadAsync(IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        RemoteFile[] missing = [.. Downloads.Where(file => !file.IsRight(Path.Combine(CacheFolder, file.Name)))];
        if (missing.Length == 0)
            return;

        Directory.CreateDirectory(CacheFolder);
        using var client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout });
        var download = new VerifiedDownload(client, Mirrors, _source.LargestDownload);
        foreach (RemoteFile file in missing)
            await download.RunAsync(file, CacheFolder, progress, cancellationToken).ConfigureAwait(false);
    }

    private static string UserCache()
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!string.IsNullOrEmpty(cache))
            return cache;

        return OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
    }

    /// <summary>Images and labels, the first two files or the last two.</summary>
    private Dataset Load(string folder, ZipArchive? archive, int first)
    {
        (int[] shape, byte[] pixels, string imageFile) = Read(folder, archive, _source.Files[first], 3, "images");
        (int[] counts, byte[] classes, string labelFile) = Read(folder, archive, _source.Files[first + 1], 1, "labels");
        if (shape[0] != counts[0])
            throw new InvalidDataException($"{labelFile}, byte 4: {imageFile} holds {shape[0]} images, so there must be as many labels, but there are {counts[0]}.");

        int least = _source.FirstLabel, largest = least + ClassNames.Count - 1;
        int[] labels = new int[classes.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = classes[i] >= least && classes[i] <= largest
                ? classes[i] - least
                : throw new InvalidDataException($"{labelFile}, byte {8 + i}: labels must be {least} to {largest}, but label {i} is {classes[i]}.");
        }

        if (!_source.IsTransposed)
            return Dataset.From(pixels, new(shape[1], shape[2], 1), labels, ClassNames);

        Transpose(pixels, shape[1], shape[2]);
        return Dataset.From(pixels, new(shape[2], shape[1], 1), labels, ClassNames);
    }

    /// <summary>Turns every image's columns into rows, in its place.</summary>
    private static void Transpose(byte[] pixels, int height, int width)
    {
        byte[] image = new byte[height * width];
        for (int start = 0; start < pixels.Length; start += image.Length)
        {
            Span<byte> place = pixels.AsSpan(start, image.Length);
            place.CopyTo(image);
            for (int row = 0; row < height; row++)
            {
                for (int column = 0; column < width; column++)
                    place[(column * height) + row] = image[(row * width) + column];
            }
        }
    }

    private (int[] Shape, byte[] Values, string File) Read(string folder, ZipArchive? archive, string name, int dimensions, string what)
    {
        string dotted = name.Replace("-idx", ".idx", StringComparison.Ordinal);
        foreach (string candidate in (string[])[name, name + ".gz", dotted, dotted + ".gz"])
        {
            string path = Path.Combine(folder, candidate);
            if (File.Exists(path))
            {
                (int[] shape, byte[] values) = IdxFile.Read(path, dimensions, what);
                return (shape, values, path);
            }
        }

        if (archive == null)
        {
            string or = _source.Archive == null ? "" : $", nor '{_source.Archive}', which has it";
            throw new FileNotFoundException($"'{folder}' has no file '{name}' or '{name}.gz'{or}.", Path.Combine(folder, name));
        }

        string inside = $"{Path.Combine(folder, _source.Archive!)}/{name}.gz";
        using var contents = new MemoryStream(ReadEntry(archive, name + ".gz", inside), writable: false);
        (int[] itsShape, byte[] itsValues) = IdxFile.Read(contents, inside, dimensions, what);
        return (itsShape, itsValues, inside);
    }

    /// <summary>The zip file of all splits, where there is one.</summary>
    private ZipArchive? OpenArchive(string folder)
    {
        string path = _source.Archive == null ? "" : Path.Combine(folder, _source.Archive);
        if (!File.Exists(path))
            return null;

        try
        {
            return ZipFile.OpenRead(path);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: the zip file is corrupt: {e.Message}", e);
        }
    }

    /// <summary>A file of the archive, which is compressed itself: packing it again can hardly have made it smaller.</summary>
    private static byte[] ReadEntry(ZipArchive archive, string name, string inside)
    {
        ZipArchiveEntry entry = archive.Entries.FirstOrDefault(entry => entry.Name == name) ?? throw new InvalidDataException($"{inside}: the zip file has no such file.");
        if (entry.Length > (2 * entry.CompressedLength) + 4096 || entry.Length > Array.MaxLength)
            throw new InvalidDataException($"{inside}: a gzip file of {entry.Length} bytes cannot be packed into {entry.CompressedLength}.");

        try
        {
            using Stream packed = entry.Open();
            byte[] bytes = new byte[entry.Length];
            packed.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"{inside}: the zip file is corrupt: {e.Message}", e);
        }
    }
}
