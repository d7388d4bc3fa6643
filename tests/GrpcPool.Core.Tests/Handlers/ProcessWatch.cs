using System.Text;
using GrpcPool.Core.Handlers.Processes;

namespace GrpcPool.Core.Tests.Handlers;

/// <summary>Waits for what the system reports to nobody: processes that come and go. A process is known by a mark among its arguments.</summary>
internal static class ProcessWatch
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan SurvivalMax = TimeSpan.FromSeconds(2);

    public static string NewMark() => CommandEnvironment.NewToken();

    public static Task UntilAliveAsync(string mark, int count) => UntilAsync(() => Alive(mark) == count, TimeSpan.FromSeconds(20), $"{count} processes");

    /// <summary>Ends when none of those is left that are there now: tests that run at the same time make ever new ones.</summary>
    public static Task UntilNoZombiesAsync()
    {
        HashSet<int> zombies = Zombies();
        return UntilAsync(() => !zombies.Overlaps(Zombies()), SurvivalMax, "no zombie");
    }

    public static int Alive(string mark) => ProcessTable.Read().Count(entry => entry.IsAlive && HasArgument(entry.Pid, mark));

    public static int OpenHandles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    public static async Task UntilAsync(Func<bool> condition, TimeSpan timeout, string expected)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < timeout, $"Expected {expected} within {timeout}.");
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private static HashSet<int> Zombies() =>
        [.. ProcessTable.Read().Where(static entry => !entry.IsAlive && entry.Parent == Environment.ProcessId && entry.Session != LibC.GetSession(0)).Select(static entry => entry.Pid)];

    private static bool HasArgument(int pid, string mark)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/cmdline")).Contains(mark, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
