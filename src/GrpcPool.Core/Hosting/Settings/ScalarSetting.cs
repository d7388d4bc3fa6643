using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A setting with one value.</summary>
internal sealed class ScalarSetting<T, TValue>(
    string key, ValueRule<TValue> rule, Func<T, TValue> get, Action<T, TValue> set, string summary, string? defaultText) : Setting<T>(key)
    where T : new()
{
    private bool HasDefault => rule.Allows(get(new T()));

    private string Default => !HasDefault ? "required" : defaultText ?? rule.Format(get(new T())) switch
    {
        null => "none",
        "" => "empty",
        var text => text,
    };

    private string Advice => HasDefault ? $"{rule.Text}, or leave it out for the default ({Default})" : rule.Text;

    public override void Read(IConfigurationSection section, string path, T target, Violations violations)
    {
        if (section.GetChildren().Any())
            violations.Add(path, $"is a section or a list; give {Advice}.");
        else if (rule.TryRead(section.Value ?? "", out TValue value))
            set(target, value);
        else
            violations.Wrong(path, section.Value, Advice);
    }

    public override void Check(T options, string path, Violations violations)
    {
        if (!rule.Allows(get(options)))
            violations.Wrong(path, Shown(options), Advice);
    }

    public override void Write(Utf8JsonWriter json, T options)
    {
        if (Shown(options) is not { } text)
            json.WriteNullValue();
        else if (rule.Bare)
            json.WriteRawValue(text);
        else
            json.WriteStringValue(text);
    }

    public override IEnumerable<SettingRow> Rows(string path) => [new(path, rule.Text, Default, summary)];

    private string? Shown(T options) => rule.Format(get(options)) is { Length: > 0 } text && rule.IsSecret ? SettingsText.Mask : rule.Format(get(options));
}
