namespace GrpcPool.Core.Handlers;

/// <summary>Collects output up to a bound, in memory that grows with the output.</summary>
internal sealed class OutputBuffer(int bytesMax)
{
    private const int FirstBytes = 4096;

    private byte[] _bytes = [];
    private int _length;

    /// <summary>Whether there was more than the bound.</summary>
    public bool IsExceeded => _length > bytesMax;

    public ReadOnlyMemory<byte> Content => _bytes.AsMemory(0, _length);

    /// <summary>Reads to the stream's end, or to the first byte too many.</summary>
    public async Task FillAsync(Stream stream, CancellationToken cancellation)
    {
        do
        {
            if (_length == _bytes.Length)
                Array.Resize(ref _bytes, (int)Math.Min(Math.Max(FirstBytes, 2L * _length), bytesMax + 1L));
            int read = await stream.ReadAsync(_bytes.AsMemory(_length), cancellation).ConfigureAwait(false);
            if (read == 0)
                return;
            _length += read;
        }
        while (!IsExceeded);
    }
}
