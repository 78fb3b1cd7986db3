namespace NativeConv.Graph;

/// <summary>
/// Buffers for the whole batch that follow each other in one place, image by image: each is first written in the stage that reads the one before for the last time, after that read. A worker then
/// writes over lines that it has just read, and that need not come from memory again. Of images in bands that holds where a band is no longer than that of the buffer before, and no band is read again.
/// </summary>
internal sealed class ImageSuccession
{
    private readonly List<PlannedBuffer> _buffers;

    private ImageSuccession(PlannedBuffer first) => _buffers = [first];

    /// <summary>Floats an image: the first buffer is the largest.</summary>
    public int ImageLength => _buffers[0].ImageLength;

    /// <summary>The first and the last stage that uses the place.</summary>
    public (int First, int Last) Lifetime => (_buffers[0].FirstStage, _buffers[^1].LastStage);

    /// <summary>Lets buffers follow each other wherever they can.</summary>
    /// <param name="buffers">Buffers for the whole batch.</param>
    /// <param name="areImagesApart">Whether workers take images one by one, so that a smaller buffer's need not lie side by side.</param>
    public static IReadOnlyList<ImageSuccession> Of(IEnumerable<PlannedBuffer> buffers, bool areImagesApart)
    {
        var places = new List<ImageSuccession>();
        foreach (PlannedBuffer buffer in buffers.OrderBy(buffer => buffer.FirstStep))
        {
            ImageSuccession? place = places.Where(place => place.CanTake(buffer, areImagesApart))
                .OrderBy(place => place.ImageLength).ThenByDescending(place => place._buffers[^1].LastStep).FirstOrDefault();
            if (place == null)
                places.Add(new(buffer));
            else
                place._buffers.Add(buffer);
        }

        return places;
    }

    /// <summary>Says where the place begins.</summary>
    public void Put(long offset)
    {
        foreach (PlannedBuffer buffer in _buffers)
            (buffer.Offset, buffer.ImageStride) = (offset, ImageLength);
    }

    private bool CanTake(PlannedBuffer buffer, bool areImagesApart)
    {
        PlannedBuffer last = _buffers[^1];
        return !last.IsReadAcrossBands && last.LastStage == buffer.FirstStage && last.LastStep < buffer.FirstStep
            && (!buffer.IsUsedInBands || buffer.ImageLength <= last.ImageLength)
            && (buffer.ImageLength == ImageLength || (areImagesApart && !buffer.IsReadWhole && buffer.ImageLength < ImageLength));
    }
}
