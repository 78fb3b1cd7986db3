namespace NativeConv.Serialization;

/// <summary>Writes a file so that a crash leaves the old one or the new one: a temporary file in the same folder, flushed to disk, then renamed.</summary>
internal static class AtomicFile
{
    private const string Extension = ".tmp";

    /// <exception cref="IOException">The file cannot be written; it names the file and the reason, and the old file is as it was.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(path);
        string temporary = $"{target}.{Guid.NewGuid():N}{Extension}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e)
        {
            DeleteIfPossible(temporary);

            // A stream says by an argument's exception that a file would become larger than the system allows.
            if (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
                throw new IOException($"'{path}' cannot be written, and is as it was: {e.Message}", e);

            throw;
        }
    }

    /// <summary>Deletes a file; where even that fails, what made it necessary is the better error.</summary>
    private static void DeleteIfPossible(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Deletes what writers of the file left that were killed.</summary>
    public static void DeleteLeftovers(string path)
    {
        string target = Path.GetFullPath(path), folder = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
            return;

        string prefix = Path.GetFileName(target) + ".";
        foreach (string file in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            string name = Path.GetFileName(file);
            if (name.StartsWith(prefix, StringComparison.Ordinal) && Guid.TryParseExact(Path.GetFileNameWithoutExtension(name[prefix.Length..]), "N", out _))
                File.Delete(file);
        }
    }
}
