using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A section of named entries, each of one of several types, or all of the one type that has no name.</summary>
/// <param name="key">The key of the section.</param>
/// <param name="name">What stands for an entry's name in the list of all settings.</param>
/// <param name="types">The types of entries.</param>
internal sealed class EntriesSetting<T>(string key, string name, params EntryType<T>[] types) : Setting<T>(key)
{
    private const string TypeKey = "Type";

    public override void Read(IConfigurationSection section, string path, T target, Violations violations)
    {
        if (!string.IsNullOrEmpty(section.Value))
            violations.Wrong(path, section.Value, "a section of named entries");

        foreach (IConfigurationSection entry in section.GetChildren())
            ReadEntry(entry, $"{path}:{entry.Key}", target, violations);
    }

    public override void Check(T options, string path, Violations violations)
    {
        foreach (EntryType<T> type in types)
            type.Check(options, path, violations);
    }

    public override void Write(Utf8JsonWriter json, T options)
    {
        json.WriteStartObject();
        foreach (EntryType<T> type in types)
            type.Write(json, options);
        json.WriteEndObject();
    }

    public override IEnumerable<SettingRow> Rows(string path) => types.SelectMany(type => type.Rows($"{path}:{name}"));

    private void ReadEntry(IConfigurationSection entry, string path, T target, Violations violations)
    {
        if (!string.IsNullOrEmpty(entry.Value))
            violations.Wrong(path, entry.Value, "a section");
        else if (TypeOf(entry) is { } type)
            type.Read(entry, path, target, violations);
        else
            violations.Wrong($"{path}:{TypeKey}", entry[TypeKey], string.Join(" or ", types.Select(type => $"\"{type.Name}\"")) + TypeAdvice);
    }

    private string TypeAdvice => types.Length == 1 ? ", the only type there is" : "";

    private EntryType<T>? TypeOf(IConfigurationSection entry) =>
        Array.Find(types, type => type.Name is null || type.Name.Equals(entry[TypeKey], StringComparison.OrdinalIgnoreCase));
}
