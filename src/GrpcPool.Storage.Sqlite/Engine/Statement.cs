using System.Text;
using SQLitePCL;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>A prepared statement, kept open. Parameters count from 1, columns from 0; values stay bound until they are bound anew.</summary>
internal sealed class Statement(Connection connection, sqlite3_stmt owner) : IDisposable
{
    private const int ShortTextMax = 256;

    /// <summary>Nothing after the end, of which SQLite says that it is misused.</summary>
    private nint _handle = owner.DangerousGetHandle();

    public Statement Bind(int parameter, long value)
    {
        connection.Check(Native.Bind(_handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, long? value)
    {
        connection.Check(value is { } number ? Native.Bind(_handle, parameter, number) : Native.BindNull(_handle, parameter));
        return this;
    }

    public Statement Bind(int parameter, string text)
    {
        Span<byte> buffer = stackalloc byte[ShortTextMax];
        connection.Check(Encoding.UTF8.TryGetBytes(text, buffer, out int length)
            ? Native.BindText(_handle, parameter, buffer[..length])
            : Native.BindText(_handle, parameter, Encoding.UTF8.GetBytes(text)));
        return this;
    }

    public Statement BindText(int parameter, ReadOnlySpan<byte> text)
    {
        connection.Check(Native.BindText(_handle, parameter, text));
        return this;
    }

    public Statement Bind(int parameter, ReadOnlySpan<byte> data)
    {
        connection.Check(Native.Bind(_handle, parameter, data));
        return this;
    }

    /// <summary>Goes to the next row. False at the end, where the statement is ready to be used again; whoever stops before must <see cref="Reset"/> it.</summary>
    public bool Step()
    {
        int code = Native.Step(_handle);
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

    /// <summary>What went wrong has been told by the step.</summary>
    public void Reset() => _ = Native.Reset(_handle);

    public long Number(int column) => Native.Number(_handle, column);

    public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

    public string Text(int column) => Encoding.UTF8.GetString(Blob(column));

    public string TextOrEmpty(int column) => IsNull(column) ? "" : Text(column);

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => Native.Blob(_handle, column);

    public void Dispose()
    {
        _handle = 0;
        owner.Dispose();
    }

    private bool IsNull(int column) => Native.Type(_handle, column) == raw.SQLITE_NULL;
}
