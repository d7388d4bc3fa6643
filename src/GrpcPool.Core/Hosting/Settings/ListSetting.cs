using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A list of texts. A list that is given replaces the one before.</summary>
internal sealed class ListSetting<T>(string key, Func<T, List<string>> get, string summary) : Setting<T>(key)
{
    private const string Rule = "a list of texts";

    public override void Read(IConfigurationSection section, string path, T target, Violations violations)
    {
        IConfigurationSection[] items = [.. section.GetChildren()];
        if (!string.IsNullOrEmpty(section.Value))
            violations.Wrong(path, section.Value, Rule);
        else if (items.Any(item => !int.TryParse(item.Key, out _) || item.GetChildren().Any()))
            violations.Add(path, $"is a section; give {Rule}.");
        else
            Replace(get(target), items);
    }

    public override void Check(T options, string path, Violations violations)
    {
        if (get(options).Exists(item => item.Contains('\0', StringComparison.Ordinal)))
            violations.Add(path, "has a text with the character 0; leave that out.");
    }

    public override void Write(Utf8JsonWriter json, T options)
    {
        json.WriteStartArray();
        foreach (string item in get(options))
            json.WriteStringValue(item);
        json.WriteEndArray();
    }

    public override IEnumerable<SettingRow> Rows(string path) => [new(path, Rule, "empty", summary)];

    private static void Replace(List<string> list, IEnumerable<IConfigurationSection> items)
    {
        list.Clear();
        list.AddRange(items.Select(item => item.Value ?? ""));
    }
}
