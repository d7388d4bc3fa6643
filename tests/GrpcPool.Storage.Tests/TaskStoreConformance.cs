using GrpcPool.Core.Storage;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

/// <summary>What every store must do. Each store has a subclass that makes an empty one; the suite's parts are in the files beside this.</summary>
public abstract partial class TaskStoreConformance : IAsyncLifetime
{
    private const int HistoryMax = 10_000;
    private const int TestMilliseconds = 60_000;

    private protected StoreDriver Store { get; private set; } = null!;

    /// <summary>How many random histories are tried.</summary>
    private protected virtual int HistoriesTried => 300;

    public async ValueTask InitializeAsync() => Store = await StoreDriver.OpenAsync(CreateStore(HistoryMax));

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes an empty store that keeps so many changes. Called more than once by some tests; the subclass disposes what must be.</summary>
    private protected abstract ITaskStore CreateStore(int historyMax);

    /// <summary>Ends a process that has a store open, and makes the store for the next. Null where tasks end with the process.</summary>
    private protected virtual ITaskStore? Reopen(ITaskStore store) => null;
}
