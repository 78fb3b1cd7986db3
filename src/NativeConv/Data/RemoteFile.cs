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
        try
        {
            using Stream hashed = OfContents ? new GZipStream(file, CompressionMode.Decompress) : file;
            return Convert.ToHexStringLower(CryptographicOperations.HashData(Algorithm, hashed));
        }
        catch (InvalidDataException)
        {
            return "";
        }
    }

    /// <summary>Says what is wrong with a file of that hash.</summary>
    public string Describe(string hash) => hash.Length == 0
        ? "the gzip stream is corrupt"
        : $"the {(OfContents ? "contents'" : "file's")} {(Algorithm == HashAlgorithmName.SHA256 ? "SHA-256" : Algorithm.Name)} should be {Hash}, but is {hash}";
}
