using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A section with a table of its own.</summary>
internal sealed class SectionSetting<T, TSection>(string key, SettingsTable<TSection> table, Func<T, TSection> get) : Setting<T>(key)
    where TSection : new()
{
    public override void Read(IConfigurationSection section, string path, T target, Violations violations) =>
        table.Read(section, path, get(target), violations);

    public override void Check(T options, string path, Violations violations) => table.Check(get(options), path, violations);

    public override void Write(Utf8JsonWriter json, T options) => table.Write(json, get(options));

    public override IEnumerable<SettingRow> Rows(string path) => table.Rows(path);
}
