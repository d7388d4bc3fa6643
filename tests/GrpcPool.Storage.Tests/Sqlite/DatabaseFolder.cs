using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>A folder for the databases of one test. Its end closes the stores and removes it. Thread-safe.</summary>
internal sealed class DatabaseFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grpcpool-test-").FullName;
    private readonly Lock _lock = new();
    private readonly Dictionary<ITaskStore, (SqliteTaskStore Store, SqliteOptions Options)> _open = [];
    private int _names;

    public string this[string name] => Path.Combine(_folder, name);

    /// <summary>A store, not opened yet, on a file of that name, or on a new one.</summary>
    public SqliteTaskStore Store(string? name = null, int historyMax = 10_000, Synchronous synchronous = Synchronous.Full) =>
        Store(new SqliteOptions(this[name ?? NewName()], synchronous, historyMax));

    public Task<StoreDriver> OpenAsync(string name, Synchronous synchronous = Synchronous.Full) => StoreDriver.OpenAsync(Store(name, synchronous: synchronous));

    /// <summary>Closes a store, and makes the one of the next process.</summary>
    public SqliteTaskStore Restart(ITaskStore store)
    {
        SqliteOptions options = Close(store);
        return Store(options);
    }

    /// <summary>
    /// Makes the store of the process that comes after one that is killed now: on a copy of what is in the files. The store itself must not be writing, and stays open.
    /// </summary>
    public SqliteTaskStore Crash(ITaskStore store)
    {
        string copy = this[NewName()];
        SqliteOptions options = Options(store);
        Copy(options.Path, copy);
        return Store(options with { Path = copy });
    }

    /// <summary>Copies a database with all that belongs to it, also while it is open.</summary>
    public static void Copy(string from, string to)
    {
        foreach (string suffix in (string[])["", "-wal", ".newest"])
        {
            if (!File.Exists(from + suffix))
                continue;
            using var source = new FileStream(from + suffix, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using FileStream target = File.Create(to + suffix);
            source.CopyTo(target);
        }
    }

    public SqliteOptions Close(ITaskStore store)
    {
        lock (_lock)
        {
            (SqliteTaskStore open, SqliteOptions options) = _open[store];
            _open.Remove(store);
            open.Dispose();
            return options;
        }
    }

    /// <summary>Looks for damage in the database of a store that is not open.</summary>
    public void Check(ITaskStore store)
    {
        string path = Options(store).Path;
        if (File.Exists(path))
            Assert.Empty(Inspection.Of(path).Damage);
    }

    public void Dispose()
    {
        foreach (ITaskStore store in _open.Keys.ToArray())
            Close(store);
        Directory.Delete(_folder, recursive: true);
    }

    private SqliteOptions Options(ITaskStore store)
    {
        lock (_lock)
            return _open[store].Options;
    }

    /// <summary>A store, not opened yet, of which the test decides everything.</summary>
    public SqliteTaskStore Store(SqliteOptions options)
    {
        var store = new SqliteTaskStore(options);
        lock (_lock)
            _open.Add(store, (store, options));
        return store;
    }

    private string NewName() => $"{Interlocked.Increment(ref _names)}.db";
}
