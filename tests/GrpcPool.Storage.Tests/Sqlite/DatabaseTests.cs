using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>What holds of the database itself: who may open it, what may stand in it, and where its revisions begin.</summary>
public sealed class DatabaseTests : IDisposable
{
    private const int TimeoutMs = 30_000;

    private readonly DatabaseFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void This_version_of_SQLite_does_not_lose_commits() => Assert.True(Connection.Version >= new Version(3, 51, 3));

    [Fact(Timeout = TimeoutMs)]
    public async Task A_store_may_be_closed_twice()
    {
        StoreDriver first = await _folder.OpenAsync("a.db");
        var store = (IDisposable)first.Store;
        _folder.Close(first.Store);
        store.Dispose();
        await _folder.OpenAsync("a.db");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_second_process_is_refused_until_the_first_has_ended()
    {
        StoreDriver first = await _folder.OpenAsync("a.db");
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("a.db"));
        Assert.Equal(StorageFault.InUse, refused.Fault);
        Assert.Contains("another grpcpool serves this database", refused.Message, StringComparison.Ordinal);
        _folder.Close(first.Store);
        await _folder.OpenAsync("a.db");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_newer_schema_is_refused_and_left_as_it_is()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        _folder.Close(store.Store);
        Execute("PRAGMA user_version = 999");
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("a.db"));
        Assert.Equal(StorageFault.WrongVersion, refused.Fault);
        Assert.Contains("schema 999", refused.Message, StringComparison.Ordinal);
        using var connection = Connection.Open(_folder["a.db"], readOnly: true);
        Assert.Equal(999, connection.ReadNumber("PRAGMA user_version"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_with_the_indexes_of_schema_6_tells_what_runs_and_what_ended_first()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        TaskRecord[] running = await Task.WhenAll(from id in (string[])["a", "b", "c", "d"] select store.RunAsync(Given.Task(id)));
        await store.EndAsync(running[2], Given.Success);
        await store.EndAsync(running[0], Given.Success);
        _folder.Close(store.Store);
        Execute(
            "DROP VIEW running_task; DROP VIEW finished_task; DROP TABLE started; DROP TABLE ended; PRAGMA user_version = 6;"
            + "CREATE INDEX task_finished ON task (revision) WHERE state >= 5; CREATE INDEX task_running ON task (claim) WHERE claim <> 0");
        await store.ReopenAsync(_folder.Store("a.db"));
        Assert.Equal(["b", "d"], store.Opened.Running.Select(static claim => claim.Id.Value).Order());
        await store.CommitAsync(new PruneTasks(Keep: 1, Max: 10));
        Assert.Equal(["a", "b", "d"], (await store.ScanAsync()).Select(static task => task.Id.Value).Order());
        _folder.Close(store.Store);
        Assert.Empty(Inspection.Of(_folder["a.db"]).Damage);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_commit_has_started_or_ended_is_listed_until_none_of_it_remains()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b")));
        await store.CommitAsync(new StartTask(Given.Id("a")), new StartTask(Given.Id("b")));
        Assert.Equal((1, 0), Lists());
        await store.EndAsync(await store.GetAsync("a"), Given.FinalFailure);
        Assert.Equal((1, 1), Lists());
        await store.EndAsync(await store.GetAsync("b"), Given.Success);
        Assert.Equal((0, 2), Lists());
        await store.RetryAsync("a");
        await store.DoAsync(new DeleteTask(Given.Id("b")));
        Assert.Equal((0, 0), Lists());

        (long Started, long Ended) Lists()
        {
            using var connection = Connection.Open(_folder["a.db"], readOnly: true);
            return (connection.ReadNumber("SELECT count(*) FROM started"), connection.ReadNumber("SELECT count(*) FROM ended"));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_no_database_is_refused_and_left_as_it_is()
    {
        string text = new('x', 5000);
        await File.WriteAllTextAsync(_folder["a.db"], text, TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("a.db"));
        Assert.Equal(StorageFault.Corrupt, refused.Fault);
        Assert.Equal(text, await File.ReadAllTextAsync(_folder["a.db"], TestContext.Current.CancellationToken));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("state = 9")]
    [InlineData("state = 3")]
    [InlineData("state = 5")]
    [InlineData("claim = 1")]
    [InlineData("finished_at = 1")]
    [InlineData("version = 0")]
    [InlineData("line = 1")]
    [InlineData("blocked = 1")]
    [InlineData("slots = 0")]
    [InlineData("revision = 0")]
    [InlineData("priority = 'high'")]
    [InlineData("id = 'b'")]
    public async Task The_schema_refuses_what_cannot_be(string change)
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.InsertAsync(Given.Task("a"));
        await store.InsertAsync(Given.Task("b"));
        _folder.Close(store.Store);
        Execute("UPDATE task SET version = 2 WHERE id = 'a'");
        Assert.Throws<StorageException>(() => Execute($"UPDATE task SET {change} WHERE id = 'a'"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_commit_that_fails_has_not_happened()
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        TaskRecord running = await store.RunAsync(Given.Task("running"));
        long revision = store.Revision;
        NewTask impossible = Given.Task("impossible", Given.Spec with { Slots = 0, Queue = "new" });
        await Assert.ThrowsAsync<StorageException>(() => store.CommitAsync(
            new EndAttempt(running.Id, running.Claim, Given.Success), Given.Insert(Given.Task("beside")), Given.Insert(impossible)));
        Assert.Equal(TaskState.Running, (await store.GetAsync("running")).State);
        Assert.Null(await store.FindAsync("beside"));
        TaskRecord ended = await store.EndAsync(running, Given.Success);
        Assert.Equal(revision + 1, ended.Revision);
        await store.InsertAsync(Given.Task("possible", Given.Spec with { Queue = "new" }));
        await store.ReopenAsync(_folder.Restart(store.Store));
        Assert.Equal(
            [(Given.Lane, TaskState.Succeeded, 1L, 0L), (Given.Lane with { Queue = "new" }, TaskState.Queued, 1L, 1L)],
            store.Opened.Counts.Select(static count => (count.Lane, count.State, count.Count, count.Ready)).OrderBy(static count => count.Lane.Queue));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(Synchronous.Full, true, false)]
    [InlineData(Synchronous.Full, false, false)]
    [InlineData(Synchronous.Normal, true, false)]
    [InlineData(Synchronous.Normal, false, true)]
    [InlineData(Synchronous.Off, true, false)]
    [InlineData(Synchronous.Off, false, true)]
    public async Task Revisions_go_on_unless_commits_may_have_been_lost(Synchronous synchronous, bool cleanEnd, bool newFloor)
    {
        StoreDriver store = await _folder.OpenAsync("a.db", synchronous);
        long known = (await store.InsertAsync(Given.Task("a"))).Revision;
        SqliteTaskStore next = cleanEnd ? _folder.Restart(store.Store) : _folder.Crash(store.Store);
        StoreState opened = await next.OpenAsync(store.Now.AddMinutes(1), CancellationToken.None);
        Assert.Equal(newFloor, opened.Floor > known);
        Assert.Equal(newFloor ? opened.Floor : known, opened.Revision);
        Assert.Equal(!newFloor, (await next.ReadChangesAsync(store.Opened.Floor, 10)).Complete);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Large_payloads_results_and_logs_leave_with_their_task()
    {
        byte[] large = new byte[100_000];
        StoreDriver store = await _folder.OpenAsync("a.db");
        TaskRecord running = await store.RunAsync(Given.Task("a", Given.Spec with { Payload = large }));
        await store.CommitAsync(
            new AppendLog(running.Id, running.Claim, new LogPiece(large, 0, large.Length)), new EndAttempt(running.Id, running.Claim, new AttemptEnding.Succeeded(large, "")));
        await store.ReopenAsync(_folder.Restart(store.Store));
        TaskRecord ended = await store.GetAsync("a");
        Assert.Equal((large.Length, large.Length), (ended.Spec.Payload.Length, ended.Result.Length));
        await store.DoAsync(new DeleteTask(running.Id));
        _folder.Close(store.Store);
        using var connection = Connection.Open(_folder["a.db"], readOnly: true);
        Assert.Equal(0, connection.ReadNumber("SELECT (SELECT count(*) FROM payload) + (SELECT count(*) FROM result) + (SELECT count(*) FROM log)"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_page_is_bounded_in_bytes()
    {
        TaskSpec large = Given.Spec with { Payload = new byte[1 << 20] };
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.CommitAsync(Given.Insert([.. Enumerable.Range(0, 12).Select(i => Given.Task($"task{i}", large))]));
        TaskPage page = await store.Store.ScanAsync(new TaskScan(new TaskFilter(Given.Namespace), null, NewestFirst: false, 1000));
        Assert.InRange(page.Tasks.Count, 1, 5);
        Assert.Equal(12, (await store.ScanAsync()).Count);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_file_does_not_grow_with_tasks_that_have_left()
    {
        var sizes = new List<long>();
        StoreDriver store = await StoreDriver.OpenAsync(_folder.Store("a.db", historyMax: 100));
        for (int round = 0; round < 4; round++)
        {
            string[] ids = [.. Enumerable.Range(0, 1000).Select(i => $"round{round}-task{i}")];
            await store.CommitAsync(Given.Insert([.. ids.Select(id => Given.Task(id, Given.Spec with { Payload = new byte[2000] }))]));
            await store.CommitAsync([.. ids.Select(Given.Cancel)]);
            await store.CommitAsync(new PruneTasks(Keep: 0, Max: 1000));
            await store.ReopenAsync(_folder.Restart(store.Store));
            sizes.Add(new FileInfo(_folder["a.db"]).Length);
        }

        Assert.True(sizes[^1] <= sizes[0] * 11 / 10, $"the file grew: {string.Join(", ", sizes)}");
    }

    private void Execute(string sql)
    {
        using var connection = Connection.Open(_folder["a.db"], readOnly: false);
        connection.Execute(sql);
    }
}
