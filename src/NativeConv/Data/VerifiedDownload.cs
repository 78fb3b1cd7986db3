namespace NativeConv.Data;

/// <summary>Downloads files and keeps those that are right.</summary>
/// <param name="client">What downloads.</param>
/// <param name="mirrors">Where from, the first that delivers; each ends in a slash.</param>
/// <param name="largest">The bytes that no file reaches.</param>
internal sealed class VerifiedDownload(HttpClient client, IReadOnlyList<Uri> mirrors, long largest)
{
    /// <summary>How long a server may send nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Downloads a file to a folder: beside its place first, renamed once it is whole, flushed and right.</summary>
    /// <exception cref="HttpRequestException">No mirror delivered; the message tells why each did not.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task RunAsync(RemoteFile file, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, file.Name);
        var failures = new List<string>();
        foreach (Uri mirror in mirrors)
        {
            var address = new Uri(mirror, file.Name);
            string part = $"{path}.{Guid.NewGuid():N}.part";
            try
            {
                await FetchAsync(address, part, progress, cancellationToken).ConfigureAwait(false);
                string hash = file.HashOf(part);
                if (hash == file.Hash)
                {
                    File.Move(part, path, overwrite: true);
                    return;
                }

                failures.Add($"{address}: {file.Describe(hash)}");
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

        throw new HttpRequestException($"{file.Name} could not be downloaded. {string.Join(" ", failures)}");
    }

    private async Task FetchAsync(Uri address, string path, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        using Stream from = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using FileStream to = File.Create(path);
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        byte[] buffer = new byte[81920];
        string name = Path.GetFileName(address.AbsolutePath);
        long total = 0;
        while (true)
        {
            stalled.CancelAfter(Patience);
            int read = await from.ReadAsync(buffer, stalled.Token).ConfigureAwait(false);
            if (read == 0)
                break;

            total += read;
            if (total >= largest)
                throw new IOException($"the file should have less than {largest} bytes, but goes on");

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            progress?.Report(new(name, total, response.Content.Headers.ContentLength));
        }

        to.Flush(flushToDisk: true);
    }
}
