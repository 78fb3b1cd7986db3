using System.Security.Cryptography;
using NativeConv.Data;

namespace NativeConv;

/// <summary>
/// MNIST, handwritten digits of 28 x 28 grey pixels (LeCun, Cortes and Burges): from a folder, from the cache, or downloaded, verified and cached.
/// </summary>
public sealed class Mnist
{
    /// <summary>The environment variable that names a folder with the files.</summary>
    public const string FolderVariable = "NATIVECONV_DATA";

    /// <summary>No file of the set is as large.</summary>
    private const long LargestDownload = 64 << 20;

    private static readonly string[] Names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    /// <summary>Where files are kept between runs; a folder of the user's own unless set.</summary>
    public string CacheFolder { get; init; } = Path.Combine(UserCache(), "nativeconv", "mnist");

    /// <summary>Where the files are downloaded from, the first that answers; each ends in a slash.</summary>
    public IReadOnlyList<Uri> Mirrors { get; init; } = [new("https://ossci-datasets.s3.amazonaws.com/mnist/"), new("https://storage.googleapis.com/cvdf-datasets/mnist/")];

    /// <summary>How long a server may take to accept a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>SHA-256 of the uncompressed files.</summary>
    internal IReadOnlyList<string> Hashes { get; init; } =
    [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ];

    /// <summary>Reads the four files, raw or gzip, from a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file breaks the format's rules, or images and labels do not belong together.</exception>
    public static TrainTest Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Directory.Exists(folder)
            ? new(Load(Find(folder, Names[0]), Find(folder, Names[1])), Load(Find(folder, Names[2]), Find(folder, Names[3])))
            : throw new DirectoryNotFoundException($"There is no folder '{folder}' to read MNIST from.");
    }

    /// <summary>Reads the set from the folder that the environment names, else from the cache, else downloads it.</summary>
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

        if (!IsCached())
            await DownloadAsync(progress, cancellationToken).ConfigureAwait(false);

        return Load(CacheFolder);
    }

    /// <summary>Downloads every file that is not in the cache, and keeps those whose contents are right.</summary>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="cancellationToken">Ends it; no part of a file stays.</param>
    /// <exception cref="HttpRequestException">No mirror delivered a file; the message tells why each did not.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task DownloadAsync(IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(CacheFolder);
        using var client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout });
        for (int i = 0; i < Names.Length; i++)
        {
            if (!IsRight(i))
                await DownloadAsync(client, i, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    internal static Dataset Load(string imageFile, string labelFile)
    {
        (int[] shape, byte[] pixels) = IdxFile.Read(imageFile, 3, "images");
        (int[] counts, byte[] classes) = IdxFile.Read(labelFile, 1, "labels");
        if (shape[0] != counts[0])
            throw new InvalidDataException($"{labelFile}, byte 4: {imageFile} holds {shape[0]} images, so there must be as many labels, but there are {counts[0]}.");

        string[] names = DrawnDigits.ClassNames;
        int[] labels = new int[classes.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = classes[i] < names.Length
                ? classes[i]
                : throw new InvalidDataException($"{labelFile}, byte {8 + i}: labels must be 0 to {names.Length - 1}, but label {i} is {classes[i]}.");
        }

        return Dataset.From(pixels, new(shape[1], shape[2], 1), labels, names);
    }

    private static string Find(string folder, string name)
    {
        string dotted = name.Replace("-idx", ".idx", StringComparison.Ordinal);
        foreach (string candidate in (string[])[name, name + ".gz", dotted, dotted + ".gz"])
        {
            string path = Path.Combine(folder, candidate);
            if (File.Exists(path))
                return path;
        }

        throw new FileNotFoundException($"'{folder}' has no file '{name}' or '{name}.gz'.", Path.Combine(folder, name));
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

    private bool IsCached() => Enumerable.Range(0, Names.Length).All(IsRight);

    private bool IsRight(int file)
    {
        string path = CachePath(file);
        return File.Exists(path) && HashOf(path) == Hashes[file];
    }

    private string CachePath(int file) => Path.Combine(CacheFolder, Names[file] + ".gz");

    /// <summary>The hash of a gzip file's contents; empty where it is corrupt.</summary>
    private static string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        try
        {
            using var unzipped = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionMode.Decompress);
            return Convert.ToHexStringLower(SHA256.HashData(unzipped));
        }
        catch (InvalidDataException)
        {
            return "";
        }
    }

    private async Task DownloadAsync(HttpClient client, int file, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        foreach (Uri mirror in Mirrors)
        {
            var address = new Uri(mirror, Names[file] + ".gz");
            string part = $"{CachePath(file)}.{Guid.NewGuid():N}.part";
            try
            {
                await FetchAsync(client, address, part, progress, cancellationToken).ConfigureAwait(false);
                string hash = HashOf(part);
                if (hash == Hashes[file])
                {
                    File.Move(part, CachePath(file), overwrite: true);
                    return;
                }

                failures.Add($"{address}: the contents' SHA-256 should be {Hashes[file]}, but is {(hash.Length == 0 ? "unknown, for the gzip stream is corrupt" : hash)}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failures.Add($"{address}: {e.Message}");
            }
            finally
            {
                File.Delete(part);
            }
        }

        throw new HttpRequestException($"{Names[file]}.gz could not be downloaded. {string.Join(" ", failures)}");
    }

    private static async Task FetchAsync(HttpClient client, Uri address, string path, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        using Stream from = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using FileStream to = File.Create(path);
        byte[] buffer = new byte[81920];
        string name = Path.GetFileName(address.AbsolutePath);
        long total = 0;
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            total += read;
            if (total > LargestDownload)
                throw new IOException($"the file should have less than {LargestDownload} bytes, but goes on");

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            progress?.Report(new(name, total, response.Content.Headers.ContentLength));
        }

        to.Flush(flushToDisk: true);
    }
}
