using System.Globalization;
using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Guard;

namespace GrpcPool.Storage.Sqlite;

/// <summary>A database on disk, held by this process alone as long as this lives.</summary>
internal sealed class DatabaseFile : IDisposable
{
    /// <summary>The number of the error on Linux that says that a file is locked.</summary>
    private const int WouldBlock = 11;

    /// <summary>Bounds the memory of a connection, in KiB.</summary>
    private const int WriterCache = 8192, ReaderCache = 1024;

    private readonly SqliteOptions _options;
    private readonly FileStream _lock;
    private readonly long _recorded;

    private DatabaseFile(SqliteOptions options, FileStream @lock)
    {
        (_options, _lock) = (options, @lock);
        // Who has removed the database with its log wants a new one.
        _recorded = File.Exists(options.Path) ? CommitRecord.Read(options.Path).Revision : 0;
        Record = new CommitRecord(options.Path);
    }

    /// <summary>Where the newest revision is noted after each commit.</summary>
    public CommitRecord Record { get; }

    public string Path => _options.Path;

    /// <summary>Takes the database for this process.</summary>
    /// <exception cref="StorageException">Another process has it, it is damaged or not accessible, it cannot be safe where it is, or SQLite is too old.</exception>
    public static DatabaseFile Take(SqliteOptions options)
    {
        if (options.Machine.Sqlite < Machine.OldestSqlite)
        {
            throw new StorageException(
                StorageFault.WrongVersion,
                $"SQLite {options.Machine.Sqlite} can lose commits; {Machine.OldestSqlite} or later is needed. Check which e_sqlite3 library is installed beside grpcpool.");
        }

        try
        {
            string path = DatabasePath.Resolve(options.Path);
            RefuseNetwork(System.IO.Path.GetDirectoryName(path)!, options.Machine);
            RefuseHardLinks(path);
            StartCheck.CheckFiles(path);
            return new DatabaseFile(options with { Path = path }, Lock(path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Faults.Of(fault, $"{options.Path} cannot be used; change Storage:Path, or the owner of its folder");
        }
    }

    /// <summary>Opens the only connection that writes, and brings the schema up to date. A damaged database is left as it is.</summary>
    public Connection OpenWriter()
    {
        CheckAsItIs();
        return Open(readOnly: false, connection =>
        {
            connection.Execute("PRAGMA journal_mode = WAL");
            Migrator.Migrate(connection, _options.Path);
            connection.Execute($"PRAGMA synchronous = {_options.Synchronous}; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
            SetCache(connection, WriterCache);
        });
    }

    /// <summary>Opens a database that nobody serves, or that may be served: nothing is written to it.</summary>
    public static Connection OpenReader(string path)
    {
        var connection = Connection.Open(path, readOnly: true);
        connection.Execute("PRAGMA busy_timeout = 5000; PRAGMA cell_size_check = ON");
        return connection;
    }

    public Connection OpenReader() => Open(readOnly: true, static connection => SetCache(connection, ReaderCache));

    /// <summary>Why no new task should be taken, though there may be room for a while; null for no reason.</summary>
    public StorageException? FindShortage()
    {
        try
        {
            if (!File.Exists(_options.Path))
                return new StorageException(StorageFault.NotAccessible, $"{_options.Path} is gone: what is committed now would be lost at the end of this process. Stop it, and restore a backup.");
            Room room = _options.Machine.RoomIn(System.IO.Path.GetDirectoryName(_options.Path)!);
            return room.IsShort ? new StorageException(StorageFault.Full, $"the disk of {_options.Path} has {room.Free >> 10} KiB left, of which {room.Reserve >> 10} KiB are kept for what runs") : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Faults.Of(fault, $"the disk of {_options.Path} cannot be asked for its room");
        }
    }

    public void Dispose()
    {
        Record.Dispose();
        _lock.Dispose();
    }

    /// <summary>
    /// Reads only: the end of a connection that may write moves the sound part of a damaged log into the database and drops the rest. But a database whose making was
    /// interrupted, which its journal shows, cannot be read before that is undone.
    /// </summary>
    private void CheckAsItIs()
    {
        if (!File.Exists(_options.Path))
            return;
        using Connection connection = Open(readOnly: !File.Exists($"{_options.Path}-journal"), static _ => { });
        StartCheck.Check(connection, _options, _recorded);
    }

    private Connection Open(bool readOnly, Action<Connection> configure)
    {
        var connection = Connection.Open(_options.Path, readOnly);
        try
        {
            connection.Execute("PRAGMA busy_timeout = 5000; PRAGMA cell_size_check = ON");
            configure(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void SetCache(Connection connection, int size) => connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = -{size}"));

    private static void RefuseNetwork(string folder, Machine machine)
    {
        if (machine.FileSystemOf(folder) is { } type && MountTable.IsNetwork(type))
        {
            throw new StorageException(
                StorageFault.WrongPlace, $"{folder} is on a network file system ({type}), where SQLite's locks and syncs cannot be trusted. Give Storage:Path a folder on a local disk.");
        }
    }

    private static void RefuseHardLinks(string path)
    {
        if (HardLinks.CountOf(path) is > 1 and var names)
            throw new StorageException(StorageFault.WrongPlace, $"{path} has {names} names (hard links), and a server at another one would not know of this. Leave it one name, or copy the file.");
    }

    /// <summary>The file stays: to delete it would let two processes lock two files of the same name.</summary>
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream($"{path}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException fault) when (fault.HResult == WouldBlock)
        {
            throw new StorageException(
                StorageFault.InUse,
                $"{path} is held: another grpcpool serves this database (process {CommitRecord.Read(path).Process}). Stop that one, or give this one another Storage:Path.",
                fault);
        }
    }
}
