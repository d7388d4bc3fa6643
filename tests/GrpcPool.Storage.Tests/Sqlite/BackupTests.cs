using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>Copies of a database, and the way back.</summary>
public sealed class BackupTests : IDisposable
{
    private const int TimeoutMs = 60_000;

    private readonly DatabaseFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = TimeoutMs)]
    public async Task A_backup_under_load_has_everything_committed_before_it_and_is_consistent()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        TaskSpec large = Given.Spec with { Payload = new byte[20_000] };
        for (int i = 0; i < 500; i++)
            await store.InsertAsync(Given.Task($"before{i}", large));
        Task<long> backup = store.Store.BackUpAsync(_folder["b.db"], Stop).AsTask();
        int meanwhile = 0;
        while (!backup.IsCompleted)
            await store.InsertAsync(Given.Task($"meanwhile{meanwhile++}", large));
        Assert.Equal(new FileInfo(_folder["b.db"]).Length, await backup);
        (IReadOnlyList<string> damage, long tasks) = Inspection.Of(_folder["b.db"]);
        Assert.Empty(damage);
        Assert.InRange(tasks, 500, 500 + meanwhile);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_folder["b.db"])!, "*.part*"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_restored_goes_on_with_a_new_floor()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        TaskRecord waiting = await store.InsertAsync(Given.Task("a"));
        await store.Store.BackUpAsync(_folder["b.db"], Stop);
        long known = (await store.InsertAsync(Given.Task("later"))).Revision;
        SqliteOptions options = Options("new/c.db");
        DatabaseCopies.Restore(_folder["b.db"], options);
        SqliteTaskStore restored = _folder.Store(options);
        StoreState opened = await restored.OpenAsync(store.Now.AddMinutes(1), Stop);
        Assert.True(opened.Floor > known);
        Assert.False((await restored.ReadChangesAsync(waiting.Revision, 10)).Complete);
        Assert.Equal(waiting.Version, (await restored.FindAsync(waiting.Id))!.Version);
        Assert.Null(await restored.FindAsync(Given.Id("later")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_backup_never_replaces_a_file()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await File.WriteAllTextAsync(_folder["b.db"], "mine", Stop);
        await RefusedAsync(StorageFault.Exists, () => store.Store.BackUpAsync(_folder["b.db"], Stop).AsTask());
        await RefusedAsync(StorageFault.WrongPlace, () => store.Store.BackUpAsync(_folder["nowhere/b.db"], Stop).AsTask());
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder["b.db"], Stop));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_restore_never_replaces_a_database_nor_takes_a_damaged_backup()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.InsertAsync(Given.Task("a"));
        await store.Store.BackUpAsync(_folder["b.db"], Stop);
        await RefusedAsync(StorageFault.InUse, () => Task.Run(() => DatabaseCopies.Restore(_folder["b.db"], Options("a.db"))));
        _folder.Close(store.Store);
        await RefusedAsync(StorageFault.Exists, () => Task.Run(() => DatabaseCopies.Restore(_folder["b.db"], Options("a.db"))));
        byte[] bytes = await File.ReadAllBytesAsync(_folder["b.db"], Stop);
        await File.WriteAllBytesAsync(_folder["b.db"], bytes[..(bytes.Length / 2)], Stop);
        await RefusedAsync(StorageFault.Corrupt, () => Task.Run(() => DatabaseCopies.Restore(_folder["b.db"], Options("c.db"))));
        Assert.Equal(["c.db.lock", "c.db.newest"], Directory.GetFiles(Path.GetDirectoryName(_folder["c.db"])!, "c.db*").Select(Path.GetFileName).Order());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_backup_that_is_given_up_leaves_nothing()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.Store.BackUpAsync(_folder["b.db"], new CancellationToken(canceled: true)).AsTask());
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_folder["b.db"])!, "b.db*"));
        await store.Store.BackUpAsync(_folder["b.db"], Stop);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_that_nobody_serves_is_copied_with_its_log()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.InsertAsync(Given.Task("a"));
        DatabaseFolder.Copy(_folder["a.db"], _folder["crashed.db"]);
        DatabaseCopies.BackUp(Options("crashed.db"), _folder["b.db"]);
        Assert.Equal(1, Inspection.Of(_folder["b.db"]).Tasks);
        await RefusedAsync(StorageFault.InUse, () => Task.Run(() => DatabaseCopies.BackUp(Options("a.db"), _folder["c.db"])));
    }

    private SqliteOptions Options(string name) => new(_folder[name], Synchronous.Full, 10_000);

    private static async Task RefusedAsync(StorageFault fault, Func<Task> action) => Assert.Equal(fault, (await Assert.ThrowsAsync<StorageException>(action)).Fault);
}
