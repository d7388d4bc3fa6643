using GrpcPool.Core.Storage;

namespace GrpcPool.Storage.Tests.Sqlite;

public sealed class SqliteTaskStoreTests : TaskStoreConformance
{
    private readonly DatabaseFolder _folder = new();
    private int _ends;

    private protected override int HistoriesTried => 50;

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return base.DisposeAsync();
    }

    private protected override ITaskStore CreateStore(int historyMax) => _folder.Store(historyMax: historyMax);

    private protected override ITaskStore Reopen(ITaskStore store)
    {
        bool inGoodOrder = Interlocked.Increment(ref _ends) % 2 == 0;
        ITaskStore next = inGoodOrder ? _folder.Restart(store) : _folder.Crash(store);
        if (inGoodOrder)
            _folder.Check(next);
        else
            _folder.Close(store);
        return next;
    }
}
