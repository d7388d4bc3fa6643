using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace GrpcPool.Cli.Output;

/// <summary>The whole terminal, for as long as this lives; what stood there before comes back. Each picture replaces the one before, whatever size the terminal has.</summary>
internal sealed class FullScreen : IDisposable
{
    /// <summary>Its other page, without a cursor; what is too long for a line is cut.</summary>
    private const string Enter = "\e[?1049h\e[?25l\e[?7l";
    private const string Leave = "\e[?7h\e[?25h\e[?1049l";

    /// <summary>Terminals that know it show a picture all at once.</summary>
    private const string Begin = "\e[?2026h\e[H", End = "\e[J\e[?2026l";

    private readonly CancellationTokenSource _left = new();

    public FullScreen()
    {
        Console.Out.Write(Enter);
        if (!Console.IsInputRedirected)
            new Thread(ReadKeys) { IsBackground = true }.Start();
    }

    /// <summary>Fires when somebody presses q.</summary>
    public CancellationToken Left => _left.Token;

    /// <summary>Draws a picture, cut to the screen.</summary>
    /// <param name="widthMin">How many columns the picture has at least.</param>
    /// <param name="picture">Makes the picture for so many columns and rows.</param>
    public static void Draw(int widthMin, Func<int, int, IRenderable> picture)
    {
        (int width, int height) = (Math.Max(widthMin, Console.WindowWidth), Console.WindowHeight);
        using var text = new StringWriter();
        IAnsiConsole canvas = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = (ColorSystemSupport)AnsiConsole.Profile.Capabilities.ColorSystem, Out = new AnsiConsoleOutput(text) });
        (canvas.Profile.Width, canvas.Profile.Height, canvas.Profile.Capabilities.Unicode) = (width, height, true);
        canvas.Write(picture(width, height));
        var screen = new StringBuilder(Begin);
        screen.AppendJoin("\e[K\r\n", text.ToString().TrimEnd('\n').Split('\n').Take(height).Select(static line => line.TrimEnd('\r')));
        Console.Out.Write(screen.Append("\e[K").Append(End));
    }

    public void Dispose()
    {
        Console.Out.Write(Leave);
        _left.Dispose();
    }

    private void ReadKeys()
    {
        try
        {
            while (Console.ReadKey(intercept: true).KeyChar is not ('q' or 'Q'))
            {
            }

            _left.Cancel();
        }
        catch (Exception closed) when (closed is InvalidOperationException or ObjectDisposedException or IOException)
        {
            // There is no keyboard any more, or nobody who waits for it.
        }
    }
}
