using GrpcPool.Core.Storage;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The bounds that keep one caller from harming the others.</summary>
internal static class LimitSettings
{
    private const int MessageBytesMax = 2_097_152;

    public static SettingsTable<LimitOptions> Table { get; } = new()
    {
        {
            "PayloadBytesMax", Whole(0, MessageBytesMax), o => o.PayloadBytesMax, (o, v) => o.PayloadBytesMax = v,
            "The largest payload; together with ResultBytesMax at most 2 MiB."
        },
        { "ResultBytesMax", Whole(0, MessageBytesMax), o => o.ResultBytesMax, (o, v) => o.ResultBytesMax = v, "The largest result." },
        { "Queues", Whole(1, 1_000_000), o => o.Queues, (o, v) => o.Queues = v, "Queues that exist at most." },
        { "Namespaces", Whole(1, 100_000), o => o.Namespaces, (o, v) => o.Namespaces = v, "Namespaces that exist at most." },
        { "Schedules", Whole(0, 1_000_000), o => o.Schedules, (o, v) => o.Schedules = v, "Schedules that exist at most." },
        { "Waiters", Whole(0, 1_000_000), o => o.Waiters, (o, v) => o.Waiters = v, "Submissions that wait for room at most; more are refused." },
        { "Watchers", Whole(1, 1_000_000), o => o.Watchers, (o, v) => o.Watchers = v, "Watches that are open at most." },
        { "Snapshots", Whole(1, 1_000), o => o.Snapshots, (o, v) => o.Snapshots = v, "Snapshots of watches that are read at a time." },
        {
            "WatchHistory", Optional(Whole(1, 1_000_000_000)), o => o.WatchHistory, (o, v) => o.WatchHistory = v, "Changes that are kept for watches that resume.",
            "10000000; in memory 1000000"
        },
        { "LogBytesMax", Whole(LogChunk.BytesMax, 67_108_864), o => o.LogBytesMax, (o, v) => o.LogBytesMax = v, "Bytes of a task's log that are kept, the last ones." },
        {
            "MemoryGuard", Real(0.1, 1), o => o.MemoryGuard, (o, v) => o.MemoryGuard = v,
            "The part of the memory that the process may use from which on new tasks are refused; 1 for never."
        },
        { "Connections", Whole(1, 1_000_000), o => o.Connections, (o, v) => o.Connections = v, "Connections that are open at most." },
        {
            "WatchWriteTimeout", Span(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), o => o.WatchWriteTimeout, (o, v) => o.WatchWriteTimeout = v,
            "How long a watcher may block a write before its stream is ended."
        },
        CheckMessageSize,
    };

    private static void CheckMessageSize(LimitOptions options, string path, Violations violations)
    {
        if ((long)options.PayloadBytesMax + options.ResultBytesMax > MessageBytesMax)
            violations.Across(
                [$"{path}:PayloadBytesMax", $"{path}:ResultBytesMax"],
                $"({options.PayloadBytesMax}) and {path}:ResultBytesMax ({options.ResultBytesMax}) are together more than {MessageBytesMax}; " +
                "lower one of them.");
    }
}
