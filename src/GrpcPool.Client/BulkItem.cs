using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>A task on its way in a bulk submission.</summary>
/// <param name="Index">Its place among the submitted; the stream's sequence.</param>
/// <param name="Task">The task, with an id.</param>
internal sealed record BulkItem(long Index, TaskSpec Task)
{
    /// <summary>The places in the window; as many items of the usual size fit in.</summary>
    public const int PlacesMax = 4000;

    private const int BytesPerPlace = 16 * 1024;

    /// <summary>How many places it takes: large ones take more.</summary>
    public int Places { get; } = Math.Min(1 + (Task.CalculateSize() / BytesPerPlace), PlacesMax);

    /// <summary>When it was first refused for want of room; null as long as it was not.</summary>
    public long? RefusedAt { get; init; }

    /// <summary>When to send it again, having been refused.</summary>
    public DateTimeOffset DueAt { get; init; }

    public SubmitStreamItem ToStreamItem() => new() { Sequence = Index, Task = Task };
}
