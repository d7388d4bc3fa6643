using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The tasks' logs, in chunks.</summary>
internal sealed class LogTable(Connection connection)
{
    private readonly Statement _first = connection.PrepareFile("log_first");
    private readonly Statement _last = connection.PrepareFile("log_last");
    private readonly Statement _after = connection.PrepareFile("log_after");
    private readonly Statement _write = connection.PrepareFile("log_write");
    private readonly Statement _drop = connection.PrepareFile("log_drop");

    public LogChunk? Last(TaskRecord task) => Only(_last.Bind(1, task.Sequence));

    public void Write(TaskRecord task, LogChunk chunk) => _write.Bind(1, task.Sequence).Bind(2, chunk.Offset).Bind(3, chunk.Data.Span).Bind(4, ChecksumOf(chunk.Offset, chunk.Data.Span)).Run();

    public void Drop(TaskRecord task, long before) => _drop.Bind(1, task.Sequence).Bind(2, before).Run();

    public LogPage Read(TaskRecord task, long offset, int bytesMax)
    {
        LogChunk? first = Only(_first.Bind(1, task.Sequence));
        return LogPage.Of(task, first, After(task, offset, bytesMax), offset, bytesMax);
    }

    /// <summary>Reads the chunk at which a statement stands.</summary>
    public static LogChunk Read(Statement row) => ChecksumOf(row.Number(0), row.Blob(1)) == row.Number(2)
        ? new LogChunk(row.Number(0), row.Blob(1).ToArray())
        : throw new StorageException(StorageFault.Corrupt, "a log is damaged in the database");

    /// <summary>The chunks that end after an offset, no more than are needed.</summary>
    private List<LogChunk> After(TaskRecord task, long offset, int bytesMax)
    {
        var chunks = new List<LogChunk>();
        long end = Math.Max(0, offset);
        _after.Bind(1, task.Sequence).Bind(2, offset);
        while (_after.Step())
        {
            LogChunk chunk = Read(_after);
            if (chunk.End > offset)
                chunks.Add(chunk);
            if (chunk.End - Math.Max(end, chunks.Count > 0 ? chunks[0].Offset : 0) >= bytesMax)
                break;
        }

        _after.Reset();
        return chunks;
    }

    private static LogChunk? Only(Statement select)
    {
        if (!select.Step())
            return null;
        LogChunk chunk = Read(select);
        select.Reset();
        return chunk;
    }

    private static long ChecksumOf(long offset, ReadOnlySpan<byte> data) => Checksum.None.Add(offset).Add(data).Value;
}
