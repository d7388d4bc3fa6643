using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Storage;

public sealed class GuardedStoreTests : IDisposable
{
    private const int TimeoutMs = 10_000;

    private readonly FakeTimeProvider _time = new();
    private readonly TroubledStore _inner = new();
    private readonly GuardedStore _store;
    private int _nudges;

    public GuardedStoreTests()
    {
        _store = new GuardedStore(_inner, _time, NullLogger.Instance);
        _store.Watch(() => _nudges++);
    }

    public void Dispose() => _store.Dispose();

    [Theory(Timeout = TimeoutMs)]
    [InlineData(StorageFault.Full)]
    [InlineData(StorageFault.InputOutput)]
    [InlineData(StorageFault.NotAccessible)]
    public async Task A_fault_counts_until_a_commit_succeeds(object fault)
    {
        await FailAsync((StorageFault)fault);
        Assert.Equal(((StorageFault)fault, false), (_store.Trouble?.Fault, _store.IsWritable));
        _inner.Fault = null;
        await CommitAsync();
        Assert.Equal((null, true), (_store.Trouble?.Fault, _store.IsWritable));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_fault_is_looked_after_once_a_second()
    {
        await FailAsync(StorageFault.Full);
        await _store.TryRecoverAsync();
        Assert.Equal(0, _inner.Probes);
        Pass();
        await _store.TryRecoverAsync();
        await _store.TryRecoverAsync();
        Assert.Equal((1, 1, StorageFault.Full), (_nudges, _inner.Probes, _store.Trouble?.Fault));
        _inner.Fault = null;
        Pass();
        Task changed = _store.Changed;
        await _store.TryRecoverAsync();
        Assert.Null(_store.Trouble);
        await changed;
        Pass();
        Assert.Equal(2, _nudges);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Damage_is_for_ever_and_nothing_is_committed_after_it()
    {
        _inner.ReadFault = StorageFault.Corrupt;
        await Assert.ThrowsAsync<StorageException>(() => _store.FindAsync(new TaskId("default", "a")).AsTask());
        await Assert.ThrowsAsync<StorageException>(CommitAsync);
        Pass();
        await _store.TryRecoverAsync();
        Assert.Equal((StorageFault.Corrupt, 0), (_store.Trouble?.Fault, _inner.Commits));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(StorageFault.Busy)]
    [InlineData(StorageFault.Other)]
    public async Task Other_faults_pass(object fault)
    {
        await FailAsync((StorageFault)fault);
        Assert.Null(_store.Trouble);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_shortage_refuses_new_tasks_and_nothing_else()
    {
        _inner.Shortage = new StorageException(StorageFault.Full, "short");
        Pass();
        await CommitAsync();
        Assert.Equal((StorageFault.Full, true), (_store.Trouble?.Fault, _store.IsWritable));
        _inner.Shortage = null;
        Pass();
        Assert.Null(_store.Trouble);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_shortage_is_seen_before_the_next_look_where_much_is_committed()
    {
        _inner.Shortage = new StorageException(StorageFault.Full, "short");
        var spec = new TaskSpec { Kind = "k", Queue = "q", Payload = new byte[1 << 20] };
        InsertTasks insert = new([new Insertion(new NewTask(new TaskId("n", "t"), spec), InsertMode.Plain)]);
        for (int i = 0; i < 3; i++)
            await _store.CommitAsync([insert], _time.GetUtcNow());
        Assert.Null(_store.Trouble);
        await _store.CommitAsync([insert], _time.GetUtcNow());
        Assert.Equal(StorageFault.Full, _store.Trouble?.Fault);
    }

    private async Task FailAsync(StorageFault fault)
    {
        _inner.Fault = fault;
        await Assert.ThrowsAsync<StorageException>(CommitAsync);
    }

    private Task CommitAsync() => _store.CommitAsync([], _time.GetUtcNow()).AsTask();

    private void Pass() => _time.Advance(TimeSpan.FromSeconds(1));

    private sealed class TroubledStore : ITaskStore
    {
        private readonly MemoryTaskStore _store = new(10);

        public StorageFault? Fault { get; set; }

        public StorageFault? ReadFault { get; set; }

        public StorageException? Shortage { get; set; }

        public int Commits { get; private set; }

        public int Probes { get; private set; }

        public ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation) => _store.OpenAsync(now, cancellation);

        public async ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
        {
            await Task.Yield();
            ThrowIf(Fault);
            Commits++;
            return new CommitResult([], [], [], [], 1, null);
        }

        public async ValueTask<TaskRecord?> FindAsync(TaskId id)
        {
            ThrowIf(ReadFault);
            return await _store.FindAsync(id);
        }

        public ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key) => _store.FindUniqueAsync(@namespace, key);

        public ValueTask<TaskPage> ScanAsync(TaskScan scan) => _store.ScanAsync(scan);

        public ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit) => _store.ReadReadyAsync(lane, slotsMax, limit);

        public ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane) => _store.FindOldestAsync(lane);

        public ValueTask<int> CountBeforeAsync(TaskRecord task, int limit) => _store.CountBeforeAsync(task, limit);

        public ValueTask<ChangePage> ReadChangesAsync(long after, int limit) => _store.ReadChangesAsync(after, limit);

        public ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax) => _store.ReadLogAsync(id, offset, bytesMax);

        public ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id) => _store.FindScheduleAsync(id);

        public ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit) => _store.ReadSchedulesAsync(@namespace, after, limit);

        public StorageException? FindShortage() => Shortage;

        public ValueTask ProbeAsync()
        {
            Probes++;
            ThrowIf(Fault);
            return default;
        }

        private static void ThrowIf(StorageFault? fault)
        {
            if (fault is { } kind)
                throw new StorageException(kind, "the store has a bad moment");
        }
    }
}
