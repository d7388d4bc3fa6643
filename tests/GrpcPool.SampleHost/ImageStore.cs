namespace GrpcPool.SampleHost;

/// <summary>The images, as a repository that lives for one scope.</summary>
internal sealed class ImageStore : IDisposable
{
    private readonly Dictionary<string, (int Width, int Height)> _sizes = new() { ["cat.png"] = (40_000, 30_000) };
    private readonly StoreCount _count;

    public ImageStore(StoreCount count)
    {
        _count = count;
        count.CountOpened();
    }

    /// <summary>The size of an image; null where there is no such image.</summary>
    public (int Width, int Height)? Find(string image) => _sizes.TryGetValue(image, out (int Width, int Height) size) ? size : null;

    public void Dispose() => _count.CountDisposed();
}
