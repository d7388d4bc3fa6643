using System.Text;
using SQLitePCL;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>A prepared statement, kept open. Parameters count from 1, columns from 0; values stay bound until they are bound anew.</summary>
internal sealed class Statement(Connection connection, sqlite3_stmt handle) : IDisposable
{
    private const int ShortTextMax = 256;

    public Statement Bind(int parameter, long value)
    {
        connection.Check(raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, long? value)
    {
        connection.Check(value is { } number ? raw.sqlite3_bind_int64(handle, parameter, number) : raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    public Statement Bind(int parameter, string text)
    {
        Span<byte> buffer = stackalloc byte[ShortTextMax];
        connection.Check(Encoding.UTF8.TryGetBytes(text, buffer, out int length)
            ? raw.sqlite3_bind_text(handle, parameter, buffer[..length])
            : raw.sqlite3_bind_text(handle, parameter, Encoding.UTF8.GetBytes(text)));
        return this;
    }

    public Statement Bind(int parameter, ReadOnlySpan<byte> data)
    {
        connection.Check(raw.sqlite3_bind_blob(handle, parameter, data));
        return this;
    }

    /// <summary>Goes to the next row. False at the end, where the statement is ready to be used again; whoever stops before must <see cref="Reset"/> it.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
        {
            var fault = connection.Fault(code);
            Reset();
            throw fault;
        }

        Reset();
        return false;
    }

    /// <summary>Executes a statement without rows.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    public void Reset() => raw.sqlite3_reset(handle);

    public long Number(int column) => raw.sqlite3_column_int64(handle, column);

    public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string();

    public string TextOrEmpty(int column) => IsNull(column) ? "" : Text(column);

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);

    public void Dispose() => handle.Dispose();

    private bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;
}
