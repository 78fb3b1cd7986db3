using System.IO.Compression;
using System.Security.Cryptography;

namespace NativeConv.Data;

/// <summary>A file to be downloaded, and what it must be.</summary>
/// <param name="Name">Its name on every mirror and in the cache.</param>
/// <param name="Algorithm">How it is checked.</param>
/// <param name="Hash">The hash that is right, in lower-case hexadecimal digits.</param>
/// <param name="OfContents">Whether the hash is of what a gzip file holds, and not of the file itself.</param>
internal sealed record RemoteFile(string Name, HashAlgorithmName Algorithm, string Hash, bool OfContents)
{
    /// <summary>Whether a file is there and right.</summary>
    public bool IsRight(string path) => File.Exists(path) && HashOf(path) == Hash;

    /// <summary>The hash of a file; empty where its contents are asked for and it is no gzip file.</summary>
    public string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        if (!OfContents)
            return Convert.ToHexStringLower(CryptographicOperations.HashData(Algorithm, file));

        try
        {
            using var contents = new GZipStream(file, CompressionMode.Decompress);
            using var hash = IncrementalHash.CreateHash(Algorithm);
            byte[] buffer = new byte[81920];
            long left = IdxFile.MostUnpacked(file.Length);
            for (int read; (read = contents.Read(buffer)) > 0; left -= read)
            {
                if (read > left)
                    return "";

                hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (InvalidDataException)
        {
            return "";
        }
    }

    /// <summary>Says what is wrong with a file of that hash.</summary>
    public string Describe(string hash) => hash.Length == 0
        ? "the gzip stream is corrupt or unpacks without end"
        : $"the {(OfContents ? "contents'" : "file's")} {(Algorithm == HashAlgorithmName.SHA256 ? "SHA-256" : Algorithm.Name)} should be {Hash}, but is {hash}";
}
