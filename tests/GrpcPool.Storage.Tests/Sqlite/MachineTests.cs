using System.Diagnostics;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>Where a database is not opened, or takes no more tasks.</summary>
public sealed class MachineTests : IDisposable
{
    private const int TimeoutMs = 30_000;

    private const string Mounts = """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        30 27 0:40 / /home rw,relatime shared:1 master:2 - nfs4 server:/home rw,vers=4.2
        31 30 0:41 / /home/me/fast\\040disk rw,relatime shared:3 - xfs /dev/sdb rw
        32 27 0:42 / /mnt/far rw - fuse.sshfs me@far: rw
        33 27 0:43 / /mnt/near rw - ext4 /dev/sdc rw
        34 33 0:44 / /mnt/near rw - cifs //server/share rw
        """;

    private readonly DatabaseFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/var/lib/grpcpool", "ext4")]
    [InlineData("/home", "nfs4")]
    [InlineData("/home/me/data", "nfs4")]
    [InlineData("/homework", "ext4")]
    [InlineData("/home/me/fast disk/data", "xfs")]
    [InlineData("/mnt/far/data", "fuse.sshfs")]
    [InlineData("/mnt/near/data", "cifs")]
    public void The_innermost_and_last_mount_has_a_folder(string folder, string type) => Assert.Equal(type, new MountTable(Mounts.Replace("\\\\", "\\").Split('\n')).TypeAt(folder));

    [Fact]
    public void This_machine_knows_the_file_system_of_a_folder() => Assert.NotNull(Machine.This.FileSystemOf("/"));

    [Theory(Timeout = TimeoutMs)]
    [InlineData("nfs4", true)]
    [InlineData("cifs", true)]
    [InlineData("9p", true)]
    [InlineData("fuse.sshfs", true)]
    [InlineData("ext4", false)]
    [InlineData("fuse.lxcfs", false)]
    [InlineData(null, false)]
    public async Task A_network_file_system_is_refused(string? type, bool refused)
    {
        SqliteTaskStore store = Store(Machine.This with { FileSystemOf = _ => type });
        Task<StoreDriver> opening = StoreDriver.OpenAsync(store);
        if (!refused)
        {
            await opening;
            return;
        }

        var refusal = await Assert.ThrowsAsync<StorageException>(() => opening);
        Assert.Equal(StorageFault.WrongPlace, refusal.Fault);
        Assert.Contains($"({type})", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["a.db"]));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("3.51.2", true)]
    [InlineData("3.51.3", false)]
    public async Task An_SQLite_that_can_lose_commits_is_refused(string version, bool refused)
    {
        Task<StoreDriver> opening = StoreDriver.OpenAsync(Store(Machine.This with { Sqlite = new Version(version) }));
        if (refused)
            Assert.Equal(StorageFault.WrongVersion, (await Assert.ThrowsAsync<StorageException>(() => opening)).Fault);
        else
            await opening;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_second_name_of_a_database_is_the_same_database()
    {
        StoreDriver first = await _folder.OpenAsync("a.db");
        File.CreateSymbolicLink(_folder["b.db"], _folder["a.db"]);
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("b.db"));
        Assert.Equal(StorageFault.InUse, refused.Fault);
        Assert.Contains($"(process {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
        _folder.Close(first.Store);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_with_two_names_is_refused_by_both()
    {
        _folder.Close((await _folder.OpenAsync("a.db")).Store);
        using (Process link = Process.Start("ln", [_folder["a.db"], _folder["b.db"]]))
            await link.WaitForExitAsync(TestContext.Current.CancellationToken);
        foreach (string name in (string[])["a.db", "b.db"])
        {
            var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync(name));
            Assert.Equal(StorageFault.WrongPlace, refused.Fault);
            Assert.Contains($"{_folder[name]} has 2 names", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_place_that_is_no_folder_is_told()
    {
        await File.WriteAllTextAsync(_folder["file"], "", TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<StorageException>(() => _folder.OpenAsync("file/a.db"));
        Assert.Equal(StorageFault.NotAccessible, refused.Fault);
        Assert.Contains("Storage:Path", refused.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(5 << 20, 100 << 20, true)]
    [InlineData(20 << 20, 100 << 20, false)]
    [InlineData(60L << 20, 100L << 30, true)]
    [InlineData(70L << 20, 100L << 30, false)]
    public async Task Room_is_kept_for_what_runs(long free, long size, bool isShort)
    {
        SqliteTaskStore store = Store(Machine.This with { RoomIn = _ => new Room(free, size) });
        await StoreDriver.OpenAsync(store);
        Assert.Equal(isShort ? StorageFault.Full : null, store.FindShortage()?.Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_database_that_was_removed_takes_no_tasks()
    {
        SqliteTaskStore store = Store(Machine.This);
        await StoreDriver.OpenAsync(store);
        Assert.Null(store.FindShortage());
        File.Delete(_folder["a.db"]);
        Assert.Equal(StorageFault.NotAccessible, store.FindShortage()?.Fault);
    }

    private SqliteTaskStore Store(Machine machine) => _folder.Store(new SqliteOptions(_folder["a.db"], Synchronous.Full, 10_000) { Machine = machine });
}
