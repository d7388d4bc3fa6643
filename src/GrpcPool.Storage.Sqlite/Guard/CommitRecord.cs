using System.Globalization;
using System.Numerics;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>
/// What stands in a file beside a database: who holds it, and its newest revision. SQLite takes a damaged or shortened end of its log for a commit that was
/// never completed; this tells that it was. It is written after each commit and not synced, so that it is never ahead of the database.
/// </summary>
internal sealed class CommitRecord : IDisposable
{
    private const string Suffix = ".newest";

    // The process, a blank, the revision, a blank, the checksum of all before, a line end.
    private const int ProcessDigits = 10, RevisionDigits = 19, ChecksumAt = ProcessDigits + RevisionDigits + 2, Length = ChecksumAt + 9;

    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer = new byte[Length];

    /// <param name="path">The database.</param>
    public CommitRecord(string path) => _file = File.OpenHandle(path + Suffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);

    /// <summary>Reads who holds, or last held, a database, and the newest revision that was committed to it; zeros where nothing is known.</summary>
    public static (int Process, long Revision) Read(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path + Suffix, share: FileShare.ReadWrite);
            return Read(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <param name="revision">The newest one; 0 where commits may be lost without harm.</param>
    public void Write(long revision)
    {
        Environment.ProcessId.TryFormat(_buffer, out _, "D10", CultureInfo.InvariantCulture);
        _buffer[ProcessDigits] = (byte)' ';
        revision.TryFormat(_buffer.AsSpan(ProcessDigits + 1), out _, "D19", CultureInfo.InvariantCulture);
        _buffer[ChecksumAt - 1] = (byte)' ';
        ChecksumOf(_buffer).TryFormat(_buffer.AsSpan(ChecksumAt), out _, "x8", CultureInfo.InvariantCulture);
        _buffer[Length - 1] = (byte)'\n';
        try
        {
            RandomAccess.Write(_file, _buffer, 0);
        }
        catch (IOException)
        {
            // The commit is in the database all the same; only less would be noticed.
        }
    }

    public void Dispose() => _file.Dispose();

    private static (int Process, long Revision) Read(SafeFileHandle file)
    {
        byte[] buffer = new byte[Length];
        bool whole = RandomAccess.Read(file, buffer, 0) == Length;
        string text = Encoding.ASCII.GetString(buffer);
        return whole && text[ChecksumAt..^1] == ChecksumOf(buffer).ToString("x8", CultureInfo.InvariantCulture)
            ? (int.Parse(text[..ProcessDigits], CultureInfo.InvariantCulture), long.Parse(text.AsSpan(ProcessDigits + 1, RevisionDigits), CultureInfo.InvariantCulture))
            : default;
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> line)
    {
        uint sum = uint.MaxValue;
        foreach (byte value in line[..ChecksumAt])
            sum = BitOperations.Crc32C(sum, value);
        return sum;
    }
}
