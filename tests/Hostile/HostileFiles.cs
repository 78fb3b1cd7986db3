using FluentAssertions;

namespace NativeConv.Hostile;

/// <summary>
/// Feeds a reader broken files and holds it to its promise: a result or <see cref="InvalidDataException"/>, and no more memory than a multiple of the file's size. The number of files is
/// the default one, or that of the environment's NATIVECONV_HOSTILE_FILES.
/// </summary>
internal static class HostileFiles
{
    private const string CountVariable = "NATIVECONV_HOSTILE_FILES";

    /// <summary>How many files a reader is given.</summary>
    public static int Count(int usually) => int.TryParse(Environment.GetEnvironmentVariable(CountVariable), out int asked) ? asked : usually;

    /// <summary>Reads <paramref name="count"/> files.</summary>
    /// <param name="files">The next file.</param>
    /// <param name="count">How many.</param>
    /// <param name="read">The reader.</param>
    /// <param name="bytesPerByte">Managed memory that a byte of a file may cost.</param>
    /// <param name="bytesPerFile">Managed memory that any file may cost.</param>
    /// <returns>How many were read without an error.</returns>
    public static int Read(Func<byte[]> files, int count, Action<byte[]> read, long bytesPerByte, long bytesPerFile)
    {
        int accepted = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] file = files();
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(file);
                accepted++;
            }
            catch (InvalidDataException)
            {
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"File {i} of {file.Length} bytes let {e.GetType().Name} escape: {Keep(file)}", e);
            }

            long spent = GC.GetAllocatedBytesForCurrentThread() - before, allowed = (bytesPerByte * file.Length) + bytesPerFile;
            if (spent > allowed)
                spent.Should().BeLessThanOrEqualTo(allowed, "file {0} has {1} bytes: {2}", i, file.Length, Keep(file));
        }

        return accepted;
    }

    /// <summary>Keeps a file that shows a fault, and tells where.</summary>
    private static string Keep(byte[] file)
    {
        string path = Path.Combine(Path.GetTempPath(), $"hostile-{Guid.NewGuid():N}");
        File.WriteAllBytes(path, file);
        return path;
    }
}
