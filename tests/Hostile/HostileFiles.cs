using System.Diagnostics;
using FluentAssertions;

namespace NativeConv.Hostile;

/// <summary>
/// Feeds a reader broken files and holds it to its promise: a result or <see cref="InvalidDataException"/>, no more memory than a multiple of the file's size, and no more time than half a
/// second and a little for each byte. The number of files is
/// the default one, or that of the environment's NATIVECONV_HOSTILE_FILES.
/// </summary>
internal static class HostileFiles
{
    /// <summary>A file that takes longer is read again so many times, for the machine may have been busy: the quickest counts.</summary>
    private const int Retries = 5;

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
            long before = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
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

            TimeSpan took = Stopwatch.GetElapsedTime(started);
            long spent = GC.GetAllocatedBytesForCurrentThread() - before, allowed = (bytesPerByte * file.Length) + bytesPerFile;
            if (spent > allowed)
                spent.Should().BeLessThanOrEqualTo(allowed, "file {0} has {1} bytes: {2}", i, file.Length, Keep(file));

            TimeSpan limit = TimeSpan.FromSeconds(0.5 + (file.Length * 1e-5));
            if (took > limit)
                Quickest(read, file).Should().BeLessThanOrEqualTo(limit, "file {0} has {1} bytes: {2}", i, file.Length, Keep(file));
        }

        return accepted;
    }

    private static TimeSpan Quickest(Action<byte[]> read, byte[] file)
    {
        TimeSpan quickest = TimeSpan.MaxValue;
        for (int i = 0; i < Retries; i++)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                read(file);
            }
            catch (InvalidDataException)
            {
            }

            TimeSpan took = Stopwatch.GetElapsedTime(started);
            quickest = took < quickest ? took : quickest;
        }

        return quickest;
    }

    /// <summary>Keeps a file that shows a fault, and tells where.</summary>
    private static string Keep(byte[] file)
    {
        string path = Path.Combine(Path.GetTempPath(), $"hostile-{Guid.NewGuid():N}");
        File.WriteAllBytes(path, file);
        return path;
    }
}
