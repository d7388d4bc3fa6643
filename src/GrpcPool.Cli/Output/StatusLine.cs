using System.Text;

namespace GrpcPool.Cli.Output;

/// <summary>
/// Standard error with a last line that is drawn anew as things go on; without a terminal it is written once for each news. Thread-safe.
/// </summary>
internal sealed class StatusLine : IDisposable
{
    private const string Erase = "\r\e[K";
    private const int BarWidth = 24;

    private readonly Stream _errors = Console.OpenStandardError();
    private readonly Lock _lock = new();
    private string _line = "";
    private bool _isAtStart = true;

    /// <summary>A share that is done, as a bar where there is a terminal.</summary>
    public static string Bar(double fraction)
    {
        int done = (int)Math.Round(Math.Clamp(fraction, 0, 1) * BarWidth);
        string bar = Screen.IsErrorPlain ? "" : $"\e[36m{new string('━', done)}\e[90m{new string('━', BarWidth - done)}\e[0m ";
        return bar + Wording.Percent(fraction);
    }

    /// <summary>Replaces the line.</summary>
    public void Show(string line)
    {
        lock (_lock)
        {
            if (line == _line)
                return;
            _line = line;
            if (Screen.IsErrorPlain)
                Put(line.Length == 0 ? "" : $"{line}\n");
            else if (_isAtStart)
                Put(Erase + line);
        }
    }

    /// <summary>Writes above the line.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        lock (_lock)
        {
            bool isDrawn = !Screen.IsErrorPlain && _line.Length > 0;
            if (isDrawn && _isAtStart)
                Put(Erase);
            _errors.Write(bytes);
            _isAtStart = bytes[^1] == '\n';
            if (isDrawn && _isAtStart)
                Put(_line);
        }
    }

    public void WriteLine(string text) => Write(Encoding.UTF8.GetBytes($"{text}\n"));

    /// <summary>Removes the line from the terminal.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isAtStart)
                Put("\n");
            else if (!Screen.IsErrorPlain && _line.Length > 0)
                Put(Erase);
            _errors.Dispose();
        }
    }

    private void Put(string text) => _errors.Write(Encoding.UTF8.GetBytes(text));
}
