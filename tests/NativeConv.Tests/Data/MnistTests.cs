using System.Net;
using System.Security.Cryptography;
using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class MnistTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Folder_GivesTrainingAndTestImages(bool compressed)
    {
        MnistFiles.Write(_folder.Path, compressed);
        TrainTest images = Mnist.Load(_folder.Path);
        (images.Train.Count, images.Test.Count).Should().Be((30, 20));
        images.Train.Shape.Should().Be(new ImageShape(28, 28, 1));
        images.Test.Labels.ToArray().Should().Equal(Enumerable.Range(0, 20).Select(i => i % 10));
        images.Train.Pixels.Span[784].Should().Be(unchecked((byte)(784 * 31)));
    }

    [Fact]
    public void Load_NoFolder_SaysSo()
    {
        Action load = () => Mnist.Load(_folder.File("none"));
        load.Should().Throw<DirectoryNotFoundException>().WithMessage("*none*");
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        MnistFiles.Write(_folder.Path, compressed: true);
        File.Delete(_folder.File(MnistFiles.Names[3] + ".gz"));
        Action load = () => Mnist.Load(_folder.Path);
        load.Should().Throw<FileNotFoundException>().WithMessage("*t10k-labels-idx1-ubyte*");
    }

    [Fact]
    public void Load_SwappedFiles_SaysTheyMayBeSwapped()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        File.WriteAllBytes(_folder.File(MnistFiles.Names[0]), MnistFiles.Labels(30));
        Action load = () => Mnist.Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-images*swapped*");
    }

    [Fact]
    public void Load_CountsThatDiffer_NamesBoth()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        File.WriteAllBytes(_folder.File(MnistFiles.Names[1]), MnistFiles.Labels(29));
        Action load = () => Mnist.Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-labels*30 images*29*");
    }

    [Fact]
    public void Load_LabelOutOfRange_NamesPlaceAndValue()
    {
        MnistFiles.Write(_folder.Path, compressed: false);
        byte[] labels = MnistFiles.Labels(30);
        labels[8 + 4] = 11;
        File.WriteAllBytes(_folder.File(MnistFiles.Names[1]), labels);
        Action load = () => Mnist.Load(_folder.Path);
        load.Should().Throw<InvalidDataException>().WithMessage("*train-labels*byte 12:*0 to 9*label 4 is 11*");
    }

    [Fact]
    public async Task Download_GoodServer_CachesVerifiedFilesAndTellsProgress()
    {
        using var server = new Server(Files());
        var reports = new List<DownloadProgress>();
        Mnist mnist = Source(server);
        await mnist.DownloadAsync(new Immediate(reports.Add));
        Mnist.Load(_folder.Path).Train.Count.Should().Be(30);
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
        Mnist.Load(_folder.Path).Test.Count.Should().Be(20);
    }

    [Theory]
    [InlineData("missing", "*404*")]
    [InlineData("changed", "*SHA-256*")]
    [InlineData("cut", "*")]
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

        using var server = new Server(files);
        Func<Task> download = () => Source(server).DownloadAsync();
        await download.Should().ThrowAsync<HttpRequestException>().WithMessage($"{first} could not be downloaded.{message}");
        Directory.GetFiles(_folder.Path).Should().BeEmpty();
    }

    [Fact]
    public async Task Download_FirstMirrorDown_TakesTheSecond()
    {
        using var bad = new Server([]);
        using var good = new Server(Files());
        Mnist source = Source(good);
        await new Mnist { CacheFolder = _folder.Path, Mirrors = [bad.Address, good.Address], Hashes = source.Hashes }.DownloadAsync();
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

    private static Dictionary<string, byte[]> Files() =>
        MnistFiles.Names.Zip(MnistFiles.All()).ToDictionary(file => file.First + ".gz", file => MnistFiles.Gzip(file.Second));

    private Mnist Source(Server server) => new()
    {
        CacheFolder = _folder.Path,
        Mirrors = [server.Address],
        Hashes = [.. MnistFiles.All().Select(file => Convert.ToHexStringLower(SHA256.HashData(file)))],
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
