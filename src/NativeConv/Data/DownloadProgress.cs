namespace NativeConv;

/// <summary>How far a download is.</summary>
/// <param name="File">The file under way.</param>
/// <param name="Bytes">Bytes of it that have come.</param>
/// <param name="Total">Bytes it will have; null where the server does not say.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);
