using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A setting that can only have one value, such as the type of a section's table.</summary>
internal sealed class FixedSetting<T>(string key, string value, string summary) : Setting<T>(key)
{
    public override void Read(IConfigurationSection section, string path, T target, Violations violations)
    {
        if (!value.Equals(section.Value, StringComparison.OrdinalIgnoreCase))
            violations.Wrong(path, section.Value, $"\"{value}\", the only type there is");
    }

    public override void Check(T options, string path, Violations violations)
    {
    }

    public override void Write(Utf8JsonWriter json, T options) => json.WriteStringValue(value);

    public override IEnumerable<SettingRow> Rows(string path) => [new(path, value, "required", summary)];
}
