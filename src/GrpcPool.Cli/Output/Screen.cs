using Spectre.Console;

namespace GrpcPool.Cli.Output;

/// <summary>What the terminal can, and is wanted to do.</summary>
internal static class Screen
{
    /// <summary>Whether there is no terminal to draw on, or nobody wants it drawn on.</summary>
    public static bool IsPlain { get; } =
        Console.IsOutputRedirected || IsSimple || !AnsiConsole.Profile.Capabilities.Ansi || !AnsiConsole.Profile.Capabilities.Unicode;

    /// <summary>The same of standard error.</summary>
    public static bool IsErrorPlain { get; } = Console.IsErrorRedirected || IsSimple;

    private static bool IsSimple =>
        Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <summary>Text for standard output, in a colour where there are any.</summary>
    public static string Paint(string text, string colour) => IsPlain ? text : $"\e[{CodeOf(colour)}m{text}\e[0m";

    private static int CodeOf(string colour) => colour switch
    {
        "red" => 31,
        "green" => 32,
        "yellow" => 33,
        "fuchsia" => 35,
        "aqua" => 36,
        _ => 90,
    };
}
