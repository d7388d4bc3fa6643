using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>What an attempt adds to its task's log.</summary>
/// <param name="Data">The bytes, at most <paramref name="BytesMax"/>.</param>
/// <param name="Skipped">How many bytes before them were given up unwritten.</param>
/// <param name="BytesMax">How much of the log is kept, at least <see cref="LogChunk.BytesMax"/>.</param>
internal readonly record struct LogPiece(ReadOnlyMemory<byte> Data, long Skipped, int BytesMax);

/// <summary>A row of a task's log.</summary>
/// <param name="Offset">The place of its first byte in the whole log.</param>
/// <param name="Data">At least one byte, at most <see cref="BytesMax"/>.</param>
internal readonly record struct LogChunk(long Offset, ReadOnlyMemory<byte> Data)
{
    /// <summary>The largest chunk. The newest is filled up to it before another begins.</summary>
    public const int BytesMax = 4096;

    public long End => Offset + Data.Length;
}

/// <summary>Some bytes of a task's log.</summary>
/// <param name="Data">The bytes; none where there are no more.</param>
/// <param name="Offset">The place of the first; later than asked for where those before are no longer kept.</param>
/// <param name="TruncatedBefore">The place of the first byte that is kept: how many there were before it.</param>
/// <param name="Finished">Whether the task has ended: no more comes, unless it is run again.</param>
internal readonly record struct LogPage(ReadOnlyMemory<byte> Data, long Offset, long TruncatedBefore, bool Finished)
{
    /// <summary>Makes a page.</summary>
    /// <param name="task">Whose log it is.</param>
    /// <param name="first">The oldest chunk that is kept; null where the log is empty.</param>
    /// <param name="chunks">Those that end after the offset, in order.</param>
    /// <param name="offset">Where to begin.</param>
    /// <param name="bytesMax">How many bytes at most.</param>
    public static LogPage Of(TaskRecord task, LogChunk? first, IEnumerable<LogChunk> chunks, long offset, int bytesMax)
    {
        long kept = first?.Offset ?? 0;
        long from = Math.Max(offset, kept);
        var data = new List<byte>();
        foreach (LogChunk chunk in chunks)
        {
            ReadOnlySpan<byte> bytes = chunk.Data.Span[(int)Math.Max(0, from - chunk.Offset)..];
            data.AddRange(bytes[..Math.Min(bytes.Length, bytesMax - data.Count)]);
            if (data.Count == bytesMax)
                break;
        }

        return new LogPage(data.ToArray(), from, kept, task.State.IsFinal());
    }
}

/// <summary>
/// How a log grows: without holes, over all attempts, and never beyond its bound. Whole chunks leave at its beginning, so that it keeps its last bytes up to the bound,
/// or less than a chunk fewer.
/// </summary>
internal static class TaskLog
{
    public static void Append(ITaskTable table, TaskRecord task, LogPiece piece)
    {
        if (piece.Data.IsEmpty)
            return;
        LogChunk? last = table.LastLogChunk(task);
        long offset = (last?.End ?? 0) + piece.Skipped;
        ReadOnlyMemory<byte> data = piece.Data;
        if (last is { } open && piece.Skipped == 0)
        {
            int room = Math.Min(LogChunk.BytesMax - open.Data.Length, data.Length);
            if (room > 0)
                table.WriteLogChunk(task, open with { Data = (byte[])[.. open.Data.Span, .. data.Span[..room]] });
            (offset, data) = (offset + room, data[room..]);
        }

        long end = offset + data.Length;
        table.DropLogChunks(task, Math.Max(piece.Skipped > 0 ? offset : 0, end - piece.BytesMax));
        for (; !data.IsEmpty; data = data[Math.Min(LogChunk.BytesMax, data.Length)..])
            table.WriteLogChunk(task, new LogChunk(end - data.Length, data[..Math.Min(LogChunk.BytesMax, data.Length)]));
    }
}
