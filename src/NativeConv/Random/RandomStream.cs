namespace NativeConv.Random;

/// <summary>
/// A sequence of random numbers: one stream of <see cref="Philox"/>, read in order or from any position.
/// Equal (seed, purpose, index) give equal numbers anywhere.
/// </summary>
internal struct RandomStream
{
    private readonly uint _key0, _key1, _c2, _c3;
    private ulong _position;
    private uint _w0, _w1, _w2, _w3;

    /// <param name="seed">The user's seed.</param>
    /// <param name="purpose">What the numbers are for, so that no two uses share them.</param>
    /// <param name="index">Which of them: a parameter, an epoch, an image.</param>
    public RandomStream(ulong seed, StreamPurpose purpose, ulong index = 0)
    {
        // The index's upper bits share a word with the purpose; indexes stay below 2^56.
        _key0 = (uint)seed;
        _key1 = (uint)(seed >> 32);
        _c2 = (uint)index;
        _c3 = (uint)(index >> 32) | ((uint)purpose << 24);
    }

    /// <summary>How many 32-bit words have been drawn; set it to continue elsewhere.</summary>
    public ulong Position
    {
        readonly get => _position;
        set
        {
            _position = value;
            if ((_position & 3) != 0)
                Fill(_position >> 2);
        }
    }

    public uint NextUInt32()
    {
        uint lane = (uint)_position & 3;
        if (lane == 0)
            Fill(_position >> 2);

        _position++;
        return lane switch { 0 => _w0, 1 => _w1, 2 => _w2, _ => _w3 };
    }

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32() >> 5, low = NextUInt32() >> 6;
        return ((high << 26) + low) * (1.0 / (1UL << 53));
    }

    /// <summary>Uniform in [0, bound), without bias (Lemire's multiplication with rejection).</summary>
    public uint NextBelow(uint bound)
    {
        ulong product = (ulong)NextUInt32() * bound;
        if ((uint)product < bound)
        {
            uint threshold = (0u - bound) % bound;
            while ((uint)product < threshold)
                product = (ulong)NextUInt32() * bound;
        }

        return (uint)(product >> 32);
    }

    private void Fill(ulong block) =>
        (_w0, _w1, _w2, _w3) = Philox.Block((uint)block, (uint)(block >> 32), _c2, _c3, _key0, _key1);
}
