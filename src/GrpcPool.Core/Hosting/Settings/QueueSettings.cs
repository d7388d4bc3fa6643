using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one queue.</summary>
internal static class QueueSettings
{
    public static SettingsTable<QueueOptions> Table { get; } = new()
    {
        { "Capacity", Whole(1, 1_000_000_000), o => o.Capacity, (o, v) => o.Capacity = v, "Waiting tasks that the queue holds." },
        { "WhenFull", OneOf<FullPolicy>(), o => o.WhenFull, (o, v) => o.WhenFull = v, "What becomes of a submission while the queue is full." },
        { "Limit", Optional(Whole(1, 1_000_000)), o => o.Limit, (o, v) => o.Limit = v, "Slots that the queue's running tasks take at most." },
        { "Weight", Whole(1, 1_000), o => o.Weight, (o, v) => o.Weight = v, "The queue's share of the starts against the other queues of its namespace." },
        {
            "Retention", Span(TimeSpan.Zero, TimeSpan.FromDays(365)), o => o.Retention, (o, v) => o.Retention = v,
            "How long a finished task is kept where it does not say so itself."
        },
        { "Rate", RateSettings.Table, o => o.Rate },
    };
}
