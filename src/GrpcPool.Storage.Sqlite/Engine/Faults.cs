using GrpcPool.Core.Storage;
using SQLitePCL;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>Turns what SQLite answers into what the pool understands.</summary>
internal static class Faults
{
    // Numbers of errors on Linux.
    private const int InputOutput = 5, NoSpace = 28, QuotaExceeded = 122;

    /// <summary>What SQLite says of a column that is to be JSON, under the code of any error.</summary>
    private const string DamagedText = "malformed JSON";

    public static StorageException Of(sqlite3 connection, int code) =>
        Of(raw.sqlite3_extended_errcode(connection) is var extended && (extended & 0xff) == (code & 0xff) ? extended : code, raw.sqlite3_errmsg(connection).utf8_to_string());

    /// <summary>What the operating system answers about a file: never an <see cref="IOException"/>, which callers take for a lost connection.</summary>
    public static StorageException Of(Exception fault, string message) => new(
        (fault as IOException)?.HResult switch
        {
            NoSpace or QuotaExceeded => StorageFault.Full,
            InputOutput => StorageFault.InputOutput,
            _ => StorageFault.NotAccessible,
        },
        $"{message}: {fault.Message}",
        fault);

    public static StorageException Of(int code, string message) => new(message == DamagedText ? StorageFault.Corrupt : KindOf(code & 0xff), $"SQLite: {message} ({code})");

    private static StorageFault KindOf(int code) => code switch
    {
        raw.SQLITE_FULL => StorageFault.Full,
        raw.SQLITE_IOERR => StorageFault.InputOutput,
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => StorageFault.Busy,
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => StorageFault.Corrupt,
        raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => StorageFault.NotAccessible,
        _ => StorageFault.Other,
    };
}
