using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>Reports on their way into one message.</summary>
internal sealed class ReportBatch
{
    private const int ItemsMax = 1_000, BytesMax = 1 << 20;

    /// <summary>About what a report takes besides its contents.</summary>
    private const int BytesEach = 256;

    private int _bytes;

    public Reports Message { get; } = new();

    /// <summary>How many attempts are over with it.</summary>
    public List<Attempt> Over { get; } = [];

    /// <summary>Whether it is large enough. What one attempt has to say always goes in, and fits into a message.</summary>
    public bool IsFull => Message.Items.Count >= ItemsMax || _bytes >= BytesMax;

    public void Add(Report report, int contentBytes = 0)
    {
        Message.Items.Add(report);
        _bytes += contentBytes + BytesEach;
    }
}
