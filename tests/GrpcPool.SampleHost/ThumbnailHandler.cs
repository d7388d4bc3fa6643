using GrpcPool.Core.Handlers;

namespace GrpcPool.SampleHost;

/// <summary>Bytes in, bytes out: the first hundred of an image.</summary>
internal sealed class ThumbnailHandler : ITaskHandler
{
    private const int Size = 100;

    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        ReadOnlyMemory<byte> image = context.Payload;
        return ValueTask.FromResult(TaskOutcome.Succeeded(image[..Math.Min(Size, image.Length)], context.ContentType));
    }
}
