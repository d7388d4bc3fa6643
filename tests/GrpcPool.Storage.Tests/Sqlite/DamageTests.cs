using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>
/// A damaged database is refused at its start, or refuses to tell what is damaged, or says so when it is checked; it never tells what is wrong.
/// </summary>
public sealed class DamageTests : IDisposable
{
    private const int TimeoutMs = 120_000;
    private const int Tasks = 120;
    private const int SeedsPerTest = 40;

    private readonly DatabaseFolder _folder = new();
    private int _copies;

    public static TheoryData<string, bool> Files => new()
    {
        { "", true },
        { "", false },
        { "-wal", true },
        { "-wal", false },
    };

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Files))]
    public async Task A_changed_byte_is_never_served(string suffix, bool checkedAtStart)
    {
        (string source, Dictionary<string, TaskRecord> known) = await MakeAsync(crash: suffix.Length > 0);
        for (int seed = 0; seed < SeedsPerTest; seed++)
        {
            string copy = Copy(source);
            await ChangeAsync(copy + suffix, new Random(seed));
            await AssertNotServedAsync(copy, known, checkedAtStart, $"seed {seed}");
        }
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Files))]
    public async Task A_shortened_file_is_never_served(string suffix, bool checkedAtStart)
    {
        (string source, Dictionary<string, TaskRecord> known) = await MakeAsync(crash: suffix.Length > 0);
        for (int seed = 0; seed < SeedsPerTest; seed++)
        {
            string copy = Copy(source);
            long length = seed == 0 ? 0 : new Random(seed).NextInt64(new FileInfo(copy + suffix).Length);
            using (FileStream file = File.OpenWrite(copy + suffix))
                file.SetLength(length);
            bool served = await AssertNotServedAsync(copy, known, checkedAtStart, $"seed {seed}");
            Assert.False(served, $"seed {seed}: what is missing was not noticed");
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_log_that_was_removed_is_noticed()
    {
        (string source, _) = await MakeAsync(crash: true);
        File.Delete($"{source}-wal");
        var refused = await Assert.ThrowsAsync<StorageException>(() => OpenAsync(source));
        Assert.Equal(StorageFault.Corrupt, refused.Fault);
        Assert.Contains("grpcpool restore", refused.Message, StringComparison.Ordinal);
        byte[] left = await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<StorageException>(() => OpenAsync(source));
        Assert.Equal(left, await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_that_was_removed_with_its_log_makes_room_for_a_new_one()
    {
        (string source, _) = await MakeAsync(crash: true);
        File.Delete(source);
        Assert.Equal(StorageFault.Corrupt, (await Assert.ThrowsAsync<StorageException>(() => OpenAsync(source))).Fault);
        Assert.True(File.Exists($"{source}-wal"));
        File.Delete($"{source}-wal");
        Assert.Empty((await (await OpenAsync(source)).ScanAsync(new TaskScan(new TaskFilter(Given.Namespace), null, NewestFirst: false, 10))).Tasks);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_of_another_program_is_left_alone()
    {
        using (var other = Storage.Sqlite.Engine.Connection.Open(_folder["other.db"], readOnly: false))
            other.Execute("CREATE TABLE mine (x)");
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("other.db"));
        Assert.Equal(StorageFault.WrongVersion, refused.Fault);
        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("UPDATE history SET changes = zeroblob(length(changes)) WHERE revision = (SELECT max(revision) FROM history)")]
    [InlineData("UPDATE task SET spec = zeroblob(length(spec)) WHERE sequence = (SELECT min(sequence) FROM task)")]
    [InlineData("UPDATE lane SET queued = queued + 1")]
    [InlineData("DELETE FROM ended WHERE revision = (SELECT max(revision) FROM ended)")]
    [InlineData("UPDATE ended SET remaining = remaining + 1 WHERE revision = (SELECT max(revision) FROM ended)")]
    [InlineData("UPDATE ended SET tasks = '[' WHERE revision = (SELECT max(revision) FROM ended)")]
    public async Task What_a_check_finds_in_the_rows_of_a_small_database_its_start_finds(string damage)
    {
        (string source, _) = await MakeAsync(crash: false);
        using (var connection = Storage.Sqlite.Engine.Connection.Open(source, readOnly: false))
            connection.Execute(damage);
        Assert.NotEmpty(Inspection.Of(source).Damage);
        Assert.Equal(StorageFault.Corrupt, (await Assert.ThrowsAsync<StorageException>(() => OpenAsync(source))).Fault);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("DELETE FROM started")]
    [InlineData("UPDATE started SET tasks = '[12345]'")]
    [InlineData("UPDATE started SET tasks = '['")]
    public async Task A_large_database_that_does_not_tell_what_runs_is_refused_as_well(string damage)
    {
        StoreDriver store = await _folder.OpenAsync("a.db");
        await store.RunAsync(Given.Task("running"));
        string source = _folder.Close(store.Store).Path;
        using (var connection = Storage.Sqlite.Engine.Connection.Open(source, readOnly: false))
            connection.Execute(damage);
        SqliteTaskStore damaged = _folder.Store(Options(source, checkedAtStart: false));
        Assert.Equal(StorageFault.Corrupt, (await Assert.ThrowsAsync<StorageException>(() => damaged.OpenAsync(Given.Now, CancellationToken.None).AsTask())).Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_well_is_found_well()
    {
        (string source, Dictionary<string, TaskRecord> known) = await MakeAsync(crash: true);
        (IReadOnlyList<string> damage, long tasks) = Inspection.Of(source);
        Assert.Empty(damage);
        Assert.Equal(known.Count, tasks);
        Assert.True(await AssertNotServedAsync(source, known, checkedAtStart: true, ""));
    }

    /// <returns>Whether all was told, and was right.</returns>
    private async Task<bool> AssertNotServedAsync(string path, Dictionary<string, TaskRecord> known, bool checkedAtStart, string what)
    {
        string found = Copy(path);
        using SqliteTaskStore store = new(Options(path, checkedAtStart));
        try
        {
            await store.OpenAsync(Given.Now, CancellationToken.None);
            foreach ((string id, TaskRecord task) in known)
            {
                TaskRecord? told = await store.FindAsync(Given.Id(id));
                if (!Same(task, told))
                {
                    Assert.False(checkedAtStart, $"{what}: {id} is {told} instead of {task}");
                    Assert.NotEmpty(Inspection.Of(found).Damage);
                    return false;
                }
            }

            return true;
        }
        catch (StorageException fault)
        {
            Assert.True(fault.Fault is StorageFault.Corrupt or StorageFault.WrongVersion, $"{what}: {fault}");
            return false;
        }
    }

    private static bool Same(TaskRecord task, TaskRecord? told) => told is not null
        && (task.Sequence, task.State, task.Version, task.Revision, task.Claim, task.Attempt, task.Spec.Kind, task.Spec.Queue, task.Spec.Priority)
            == (told.Sequence, told.State, told.Version, told.Revision, told.Claim, told.Attempt, told.Spec.Kind, told.Spec.Queue, told.Spec.Priority)
        && task.Spec.Payload.Span.SequenceEqual(told.Spec.Payload.Span)
        && task.Result.Span.SequenceEqual(told.Result.Span);

    private async Task<SqliteTaskStore> OpenAsync(string path)
    {
        var store = _folder.Store(Options(path, checkedAtStart: true));
        await store.OpenAsync(Given.Now, CancellationToken.None);
        return store;
    }

    /// <summary>A database of tasks in all states, some large.</summary>
    /// <returns>Where it is, and what is in it.</returns>
    private async Task<(string Path, Dictionary<string, TaskRecord> Known)> MakeAsync(bool crash)
    {
        var random = new Random(1);
        StoreDriver store = await _folder.OpenAsync("a.db");
        for (int i = 0; i < Tasks; i++)
        {
            byte[] payload = new byte[i % 20 == 0 ? 3000 : 60];
            random.NextBytes(payload);
            NewTask task = (i % 3 == 0 ? Given.Serial($"task{i}", $"key{i % 7}") : Given.Task($"task{i}")) with { Spec = Given.Spec with { Payload = payload, Priority = i % 4 } };
            TaskRecord inserted = await store.InsertAsync(task);
            if (i % 2 == 0)
                await store.EndAsync(await store.StartAsync(inserted.Id.Value), new AttemptEnding.Succeeded(payload, "text/plain"));
        }

        Dictionary<string, TaskRecord> known = (await store.ScanAsync()).ToDictionary(static task => task.Id.Value);
        if (!crash)
            return (_folder.Close(store.Store).Path, known);
        return (Copy(_folder["a.db"]), known);
    }

    private string Copy(string source)
    {
        string copy = _folder[$"copy{_copies++}.db"];
        DatabaseFolder.Copy(source, copy);
        return copy;
    }

    private static SqliteOptions Options(string path, bool checkedAtStart)
    {
        var options = new SqliteOptions(path, Synchronous.Full, 10_000);
        return checkedAtStart ? options : options with { FullCheckBytesMax = 0 };
    }

    private static async Task ChangeAsync(string path, Random random)
    {
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
    }
}
