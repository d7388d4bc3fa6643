using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The rules for what names a program.</summary>
internal static class ProgramRules
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static ValueRule<string> Executable { get; } = Text("the absolute path of an executable file", IsExecutable);

    public static ValueRule<string?> Directory { get; } = OptionalText("the absolute path of a directory that exists", IsDirectory);

    private static bool IsExecutable(string path) =>
        Path.IsPathFullyQualified(path) && File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & AnyExecute) != 0);

    private static bool IsDirectory(string path) => Path.IsPathFullyQualified(path) && System.IO.Directory.Exists(path);
}
