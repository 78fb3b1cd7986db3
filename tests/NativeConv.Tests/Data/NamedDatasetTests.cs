using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using FluentAssertions;
using NativeConv.Data;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class NamedDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Folder_GivesTrainingAndTestImages(bool compressed)
    {
        MnistFiles.Write(_folder.Path, compressed);
        TrainTest images = new NamedDataset("mnist").Load(_folder.Path);
        (images.Train.Count, images.Test.Count).Should().Be((30, 20));
        images.Train.Shape.Should().Be(new ImageShape(28, 28, 1));
        images.Test.Labels.ToArray().Should().Equal(Enumerable.Range(0, 20).Select(i => i % 10));
        images.Train.Pixels.Span[784].Should().Be(unchecked((byte)(784 * 31)));
    }

    [Fact]
    public void Load_NoFolder_SaysSo()
    {
        Action load = () => new NamedDataset("mnist").Load(_folder.File("none"));
        load.Should().Throw<DirectoryNotFoundException>().WithMessage("*none*");
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        MnistFiles.Write(_folder.Path, compressed: true);
        File.Delete(_folder.File(MnistFiles.Names[3] + ".gz"));
        Action load = () => new NamedDataset("mnist").Load(_folder.Path);
        load.Should().Throw<FileNotFoundException>().WithMessage("*t10k-labels-idx1-ubyte*");
    }

    [Fact]
    public void Load_SwappedFiles_SaysTheyMayBeSwapped()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        File.WriteAllBytes(_folder.File(MnistFiles.Names[0]), MnistFiles.Labels(30));
        Action load = () => new NamedDataset("mnist").Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-images*swapped*");
    }

    [Fact]
    public void Load_CountsThatDiffer_NamesBoth()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        File.WriteAllBytes(_folder.File(MnistFiles.Names[1]), MnistFiles.Labels(29));
        Action load = () => new NamedDataset("mnist").Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-labels*30 images*29*");
    }

    [Fact]
    public void Load_LabelOutOfRange_NamesPlaceAndValue()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        byte[] labels = MnistFiles.Labels(30);
        labels[8 + 4] = 11;
        File.WriteAllBytes(_folder.File(MnistFiles.Names[1]), labels);
        Action load = () => new NamedDataset("mnist").Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-labels*byte 12:*0 to 9*label 4 is 11*");
    }

    [Fact]
    public async Task Download_GoodServer_CachesVerifiedFilesAndTellsProgress()
    {
        using var server = new Server(Files());
        var reports = new List<DownloadProgress>();
        NamedDataset mnist = Source(server);
        await mnist.DownloadAsync(new Immediate(reports.Add));
        new NamedDataset("mnist").Load(_folder.Path).Train.Count.Should().Be(30);
        reports.Select(report => report.File).Distinct().Should().HaveCount(4);
        reports.Last().Bytes.Should().Be(reports.Last().Total);
        server.Requests.Should().Be(4);
        await mnist.DownloadAsync();
        server.Requests.Should().Be(4, "what is cached and right is not downloaded again");
    }

    [Fact]
    public async Task Download_CorruptCache_IsReplaced()
    {
        using var server = new Server(Files());
        await Source(server).DownloadAsync();
        File.WriteAllBytes(_folder.File(MnistFiles.Names[2] + ".gz"), [1, 2, 3]);
        await Source(server).DownloadAsync();
        server.Requests.Should().Be(5);
        new NamedDataset("mnist").Load(_folder.Path).Test.Count.Should().Be(20);
    }

    [Theory]
    [InlineData("missing", "*404*")]
    [InlineData("changed", "*SHA-256*")]
    [InlineData("cut", "*")]
    [InlineData("truncated", "*prematurely*")]
    [InlineData("no gzip", "*corrupt*")]
    public async Task Download_BadServer_TellsWhyAndLeavesNothing(string fault, string message)
    {
        Dictionary<string, byte[]> files = Files();
        string first = MnistFiles.Names[0] + ".gz";
        files[first] = fault switch
        {
            "changed" => MnistFiles.Gzip(MnistFiles.Images(31)),
            "cut" => files[first][..100],
            "no gzip" => [1, 2, 3, 4],
            _ => files[first],
        };
        if (fault == "missing")
            files.Remove(first);

        using var server = new Server(files) { Truncates = fault == "truncated" };
        Func<Task> download = () => Source(server).DownloadAsync();
        await download.Should().ThrowAsync<HttpRequestException>().WithMessage($"{first} could not be downloaded.{message}");
        Directory.GetFiles(_folder.Path).Should().BeEmpty();
    }

    [Fact]
    public async Task Download_FirstMirrorDown_TakesTheSecond()
    {
        using var bad = new Server([]);
        using var good = new Server(Files());
        NamedDataset source = Source(good);
        await new NamedDataset("mnist") { CacheFolder = _folder.Path, Mirrors = [bad.Address, good.Address], Downloads = source.Downloads }.DownloadAsync();
        good.Requests.Should().Be(4);
    }

    [Fact]
    public async Task Download_Cancelled_LeavesNothing()
    {
        using var server = new Server(Files());
        using var cancel = new CancellationTokenSource();
        Func<Task> download = () => Source(server).DownloadAsync(new Immediate(_ => cancel.Cancel()), cancel.Token);
        await download.Should().ThrowAsync<OperationCanceledException>();
        Directory.GetFiles(_folder.Path).Should().BeEmpty();
    }

    [Fact]
    public void Names_OfEveryDataSet_AreKnownAndHaveTheirClasses()
    {
        NamedDataset.Names.Should().Equal(
            "mnist", "fashion-mnist", "kmnist", "emnist-balanced", "emnist-letters", "emnist-digits", "emnist-mnist", "emnist-byclass", "emnist-bymerge");
        NamedDataset.Names.Select(name => new NamedDataset(name).ClassNames.Count).Should().Equal(10, 10, 10, 47, 26, 10, 10, 62, 47);
        NamedDataset.Names.Should().OnlyContain(name => new NamedDataset(name).ClassNames.Distinct().Count() == new NamedDataset(name).ClassNames.Count);
        new NamedDataset("emnist-balanced").ClassNames.Skip(36).Should().Equal("a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t");
        Action unknown = () => _ = new NamedDataset("emnist");
        unknown.Should().Throw<ArgumentException>().WithMessage("*no data set 'emnist'*emnist-letters*").WithParameterName("name");
    }

    [Fact]
    public void Load_FolderOfSeveralDataSets_TakesTheOneOfItsName()
    {
        MnistFiles.Write(_folder.Path, compressed: true);
        string own = Directory.CreateDirectory(_folder.File("fashion-mnist")).FullName;
        MnistFiles.Write(own, compressed: false);
        File.WriteAllBytes(Path.Combine(own, MnistFiles.Names[1]), MnistFiles.Idx([30], _ => 9));
        new NamedDataset("fashion-mnist").Load(_folder.Path).Train.Labels.ToArray().Should().OnlyContain(label => label == 9);
        new NamedDataset("kmnist").Load(_folder.Path).Train.Labels.ToArray().Should().Equal(Enumerable.Range(0, 30).Select(i => i % 10));
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("gzip")]
    [InlineData("archive")]
    public void Load_EmnistLetters_StandUprightAndCountFromZero(string form)
    {
        WriteEmnist("letters", form, label: i => (byte)((i % 26) + 1));
        TrainTest images = new NamedDataset("emnist-letters").Load(_folder.Path);
        (images.Train.Count, images.Test.Count, images.Train.ClassCount).Should().Be((30, 20, 26));
        images.Train.Labels.ToArray().Should().Equal(Enumerable.Range(0, 30).Select(i => i % 26));
        images.Train.ClassNames[images.Train.Labels.Span[2]].Should().Be("C");

        // Value 31 i lies at place i of the file; image 1, row 3, column 5 stands in its column 3, row 5.
        images.Train.Pixels.Span[784 + (3 * 28) + 5].Should().Be(unchecked((byte)((784 + (5 * 28) + 3) * 31)));
    }

    [Fact]
    public void Load_EmnistLetterLabelled0_NamesTheRange()
    {
        WriteEmnist("letters", "gzip", label: i => (byte)(i % 27));
        Action load = () => new NamedDataset("emnist-letters").Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*emnist-letters-train-labels*byte 8: labels must be 1 to 26, but label 0 is 0.");
    }

    [Theory]
    [InlineData("empty", "*gzip.zip*corrupt*")]
    [InlineData("other", "*gzip.zip/emnist-digits-train-images-idx3-ubyte.gz: the zip file has no such file*")]
    [InlineData("bomb", "*gzip.zip/emnist-digits-train-images-idx3-ubyte.gz: a gzip file of * cannot be packed into *")]
    [InlineData("cut", "*gzip.zip*corrupt*")]
    public void Load_BadEmnistArchive_SaysWhatIsWrong(string fault, string message)
    {
        WriteEmnist(fault == "other" ? "letters" : "digits", "archive", i => (byte)(i % 10), fault == "bomb");
        byte[] zip = File.ReadAllBytes(_folder.File("gzip.zip"));
        File.WriteAllBytes(_folder.File("gzip.zip"), fault switch { "empty" => [], "cut" => zip[..(zip.Length / 2)], _ => zip });
        Action load = () => new NamedDataset("emnist-digits").Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage(message);
    }

    [Fact]
    public void Load_EmnistFolderWithoutFiles_NamesFileAndArchive()
    {
        Action load = () => new NamedDataset("emnist-mnist").Load(_folder.Path);
        load.Should().Throw<FileNotFoundException>().WithMessage("*'emnist-mnist-train-images-idx3-ubyte'*'gzip.zip'*");
    }

    [Fact]
    public async Task Download_EmnistArchive_IsCheckedAsItIs()
    {
        WriteEmnist("digits", "archive", i => (byte)(i % 10));
        byte[] zip = File.ReadAllBytes(_folder.File("gzip.zip"));
        using var server = new Server(new() { ["gzip.zip"] = zip });
        NamedDataset source(string hash) => new("emnist-digits")
        {
            CacheFolder = _folder.File("cache"), Mirrors = [server.Address], Downloads = [new("gzip.zip", HashAlgorithmName.MD5, hash, OfContents: false)],
        };

        Func<Task> wrong = () => source("0123").DownloadAsync();
        await wrong.Should().ThrowAsync<HttpRequestException>().WithMessage("*the file's MD5 should be 0123, but is*");
        Directory.GetFiles(_folder.File("cache")).Should().BeEmpty();
        await source(Convert.ToHexStringLower(MD5.HashData(zip))).DownloadAsync();
        new NamedDataset("emnist-digits").Load(_folder.File("cache")).Test.Count.Should().Be(20);
    }

    /// <summary>A split's four files with MNIST's test contents, one by one or in one zip file.</summary>
    private void WriteEmnist(string split, string form, Func<int, byte> label, bool isBomb = false)
    {
        string[] names = [.. ((string[])["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"]).Select(part => $"emnist-{split}-{part}-ubyte")];
        byte[][] files = MnistFiles.All();
        files[1] = MnistFiles.Idx([30], label);
        files[3] = MnistFiles.Idx([20], label);
        using ZipArchive? zip = form == "archive" ? ZipFile.Open(_folder.File("gzip.zip"), ZipArchiveMode.Create) : null;
        foreach ((string name, byte[] file) in names.Zip(files))
        {
            byte[] packed = form == "raw" ? file : isBomb ? new byte[1 << 20] : MnistFiles.Gzip(file);
            if (zip == null)
            {
                File.WriteAllBytes(_folder.File(name + (form == "raw" ? "" : ".gz")), packed);
                continue;
            }

            using Stream entry = zip.CreateEntry($"gzip/{name}.gz").Open();
            entry.Write(packed);
        }
    }

    private static Dictionary<string, byte[]> Files() =>
        MnistFiles.Names.Zip(MnistFiles.All()).ToDictionary(file => file.First + ".gz", file => MnistFiles.Gzip(file.Second));

    private NamedDataset Source(Server server) => new("mnist")
    {
        CacheFolder = _folder.Path,
        Mirrors = [server.Address],
        Downloads =
        [
            .. MnistFiles.Names.Zip(MnistFiles.All(), (name, file) =>
                new RemoteFile(name + ".gz", HashAlgorithmName.SHA256, Convert.ToHexStringLower(SHA256.HashData(file)), OfContents: true)),
        ],
    };

    private sealed class Immediate(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }

    /// <summary>Serves files on loopback.</summary>
    private sealed class Server : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Server(Dictionary<string, byte[]> files)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }

            _listener.Prefixes.Add(Address.ToString());
            _listener.Start();
            _ = Task.Run(() => ServeAsync(files));
        }

        public Uri Address { get; }

        public int Requests { get; private set; }

        /// <summary>Whether connections are closed in the middle of a file.</summary>
        public bool Truncates { get; init; }

        public void Dispose() => _listener.Close();

        private async Task ServeAsync(Dictionary<string, byte[]> files)
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    Requests++;
                    if (files.TryGetValue(context.Request.Url!.AbsolutePath[1..], out byte[]? file))
                    {
                        context.Response.ContentLength64 = file.Length;
                        if (Truncates)
                        {
                            await context.Response.OutputStream.WriteAsync(file.AsMemory(0, file.Length / 2));
                            context.Response.Abort();
                            continue;
                        }

                        await context.Response.OutputStream.WriteAsync(file);
                    }
                    else
                    {
                        context.Response.StatusCode = 404;
                    }

                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
            }
        }
    }
}
