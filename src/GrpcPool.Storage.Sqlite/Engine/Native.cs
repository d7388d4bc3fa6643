using System.Runtime.InteropServices;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>
/// The calls that are made for each value of each row. The library's own take handles that count their users, and let the garbage collector in each time: a tenth of what a row costs.
/// </summary>
internal static unsafe partial class Native
{
    private const string Library = "e_sqlite3";

    /// <summary>SQLite copies the value: <c>SQLITE_TRANSIENT</c>.</summary>
    private const nint Copied = -1;

    public static int Bind(nint statement, int parameter, ReadOnlySpan<byte> data)
    {
        // An empty value needs an address: without one it is null.
        fixed (byte* first = data.IsEmpty ? [0] : data)
            return BindBlob(statement, parameter, first, data.Length, Copied);
    }

    public static int BindText(nint statement, int parameter, ReadOnlySpan<byte> text)
    {
        fixed (byte* first = text.IsEmpty ? [0] : text)
            return BindText(statement, parameter, first, text.Length, Copied);
    }

    public static ReadOnlySpan<byte> Blob(nint statement, int column) => new(ColumnBlob(statement, column), ColumnBytes(statement, column));

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64")]
    public static partial int Bind(nint statement, int parameter, long value);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null")]
    public static partial int BindNull(nint statement, int parameter);

    [LibraryImport(Library, EntryPoint = "sqlite3_step")]
    public static partial int Step(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_reset")]
    public static partial int Reset(nint statement);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64")]
    public static partial long Number(nint statement, int column);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type")]
    public static partial int Type(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_blob")]
    private static partial int BindBlob(nint statement, int parameter, byte* data, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_text")]
    private static partial int BindText(nint statement, int parameter, byte* text, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob")]
    private static partial byte* ColumnBlob(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes")]
    private static partial int ColumnBytes(nint statement, int column);
}
