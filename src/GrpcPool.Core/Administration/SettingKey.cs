using System.Globalization;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Administration;

/// <summary>How changed settings are stored: under the keys and in the spelling of the settings file. What cannot be read counts as not changed.</summary>
internal static class SettingKey
{
    public const string Slots = "Pool:Slots";

    private const string Queues = "Queues";
    private const string None = "none";

    /// <summary>The queue to which a key belongs; null for none.</summary>
    public static string? QueueOf(string key) => key.Split(':') is [Queues, var queue, _] ? queue : null;

    public static int? ReadSlots(IReadOnlyDictionary<string, string> values) => Number(values, Slots);

    public static QueueRules Read(IReadOnlyDictionary<string, string> values, string queue, QueueRules configured) => new(
        Number(values, Of(queue, nameof(QueueRules.Capacity))) ?? configured.Capacity,
        Enum.TryParse(values.GetValueOrDefault(Of(queue, nameof(QueueRules.WhenFull))), out FullPolicy policy) ? policy : configured.WhenFull,
        values.GetValueOrDefault(Of(queue, nameof(QueueRules.Limit))) == None ? null : Number(values, Of(queue, nameof(QueueRules.Limit))) ?? configured.Limit,
        Number(values, Of(queue, nameof(QueueRules.Weight))) ?? configured.Weight,
        values.GetValueOrDefault(Of(queue, nameof(QueueRules.Paused))) == bool.TrueString);

    /// <summary>What is to be stored for the slots of the server: nothing where the settings say the same.</summary>
    public static SettingChange Change(int slots, GrpcPoolOptions configured) => Change(Slots, Text(slots), Text(configured.Pool.Slots));

    /// <summary>What is to be stored for an update.</summary>
    public static IReadOnlyList<SettingChange> Changes(QueueUpdate update, QueueRules configured)
    {
        var changes = new List<SettingChange>();
        Add(nameof(QueueRules.Capacity), update.Capacity is { } capacity ? Text(capacity) : null, Text(configured.Capacity));
        Add(nameof(QueueRules.WhenFull), update.WhenFull?.ToString(), configured.WhenFull.ToString());
        Add(nameof(QueueRules.Limit), update.Limit is { } limit ? TextOfLimit(limit) : null, TextOfLimit(configured.Limit ?? 0));
        Add(nameof(QueueRules.Weight), update.Weight is { } weight ? Text(weight) : null, Text(configured.Weight));
        if (update.Paused is { } paused)
            changes.Add(Change(Of(update.Queue, nameof(QueueRules.Paused)), paused.ToString(), bool.FalseString));
        return changes;

        void Add(string name, string? wanted, string configuredValue)
        {
            if (wanted is not null || update.Reset)
                changes.Add(Change(Of(update.Queue, name), wanted ?? configuredValue, configuredValue));
        }
    }

    private static SettingChange Change(string key, string wanted, string configured) => new(key, wanted == configured ? null : wanted);

    private static string Of(string queue, string name) => $"{Queues}:{queue}:{name}";

    private static string TextOfLimit(int limit) => limit == 0 ? None : Text(limit);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int? Number(IReadOnlyDictionary<string, string> values, string key) =>
        int.TryParse(values.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : null;
}
