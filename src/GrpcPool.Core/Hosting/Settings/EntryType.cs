using System.Text.Json;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A type of named entries.</summary>
internal abstract class EntryType<T>(string? name)
{
    /// <summary>The value of the entry's key <c>Type</c>; null where there is only one type and no such key.</summary>
    public string? Name { get; } = name;

    public abstract void Read(IConfigurationSection entry, string path, T target, Violations violations);

    public abstract void Check(T options, string path, Violations violations);

    public abstract void Write(Utf8JsonWriter json, T options);

    public abstract IEnumerable<SettingRow> Rows(string path);
}

/// <summary>A type of named entries, which are kept in a dictionary.</summary>
internal sealed class EntryType<T, TEntry>(string? name, SettingsTable<TEntry> table, Func<T, Dictionary<string, TEntry>> get) : EntryType<T>(name)
    where TEntry : new()
{
    public override void Read(IConfigurationSection entry, string path, T target, Violations violations)
    {
        Dictionary<string, TEntry> entries = get(target);
        if (!entries.TryGetValue(entry.Key, out TEntry? options))
            entries.Add(entry.Key, options = new TEntry());
        table.Read(entry, path, options, violations);
    }

    public override void Check(T options, string path, Violations violations)
    {
        foreach ((string name, TEntry entry) in get(options))
        {
            if (!PoolName.IsValid(name))
                violations.Add($"{path}:{name}", $"has a name that is not allowed; give {PoolName.Rule}.");
            table.Check(entry, $"{path}:{name}", violations);
        }
    }

    public override void Write(Utf8JsonWriter json, T options)
    {
        foreach ((string name, TEntry entry) in get(options).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            table.Write(json, entry);
        }
    }

    public override IEnumerable<SettingRow> Rows(string path) => table.Rows(path);
}
