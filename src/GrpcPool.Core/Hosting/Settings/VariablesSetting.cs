using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A section of environment variables. The values of those that look like secrets are masked where settings are shown.</summary>
internal sealed class VariablesSetting<T>(string key, Func<T, Dictionary<string, string>> get, string summary) : Setting<T>(key)
{
    private const string Rule = "a section of names with texts";

    private static readonly string[] SecretParts = ["SECRET", "TOKEN", "PASSWORD", "KEY"];

    public override void Read(IConfigurationSection section, string path, T target, Violations violations)
    {
        if (!string.IsNullOrEmpty(section.Value))
            violations.Add(path, $"is a text; give {Rule}.");

        foreach (IConfigurationSection variable in section.GetChildren())
        {
            if (variable.GetChildren().Any())
                violations.Add($"{path}:{variable.Key}", "is a section or a list; give a text.");
            else
                get(target)[variable.Key] = variable.Value ?? "";
        }
    }

    public override void Check(T options, string path, Violations violations)
    {
        foreach ((string name, string value) in get(options))
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0') || value.Contains('\0', StringComparison.Ordinal))
                violations.Add($"{path}:{name}", "is no variable; give a name without \"=\" and a text without the character 0.");
        }
    }

    public override void Write(Utf8JsonWriter json, T options)
    {
        json.WriteStartObject();
        foreach ((string name, string value) in get(options).OrderBy(variable => variable.Key, StringComparer.Ordinal))
            json.WriteString(name, IsSecret(name) ? SettingsText.Mask : value);
        json.WriteEndObject();
    }

    public override IEnumerable<SettingRow> Rows(string path) => [new($"{path}:<name>", "a text", "none", summary)];

    private static bool IsSecret(string name) => Array.Exists(SecretParts, part => name.Contains(part, StringComparison.OrdinalIgnoreCase));
}
