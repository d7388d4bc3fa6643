using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A rule across several settings of some options.</summary>
/// <param name="options">The options to check.</param>
/// <param name="path">The key of their section; empty at the root.</param>
/// <param name="violations">Takes what breaks the rule.</param>
internal delegate void SettingsRule<in T>(T options, string path, Violations violations);

/// <summary>The settings of some options. Reading, checking, showing and listing them all derive from it.</summary>
internal sealed class SettingsTable<T> : IEnumerable<Setting<T>>
    where T : new()
{
    private readonly List<Setting<T>> _settings = [];
    private readonly List<SettingsRule<T>> _rules = [];

    public void Add(Setting<T> setting) => _settings.Add(setting);

    public void Add(SettingsRule<T> rule) => _rules.Add(rule);

    /// <summary>Adds a setting with one value.</summary>
    public void Add<TValue>(string key, ValueRule<TValue> rule, Func<T, TValue> get, Action<T, TValue> set, string summary, string? defaultText = null) =>
        _settings.Add(new ScalarSetting<T, TValue>(key, rule, get, set, summary, defaultText));

    /// <summary>Adds a section.</summary>
    public void Add<TSection>(string key, SettingsTable<TSection> table, Func<T, TSection> get)
        where TSection : new() => _settings.Add(new SectionSetting<T, TSection>(key, table, get));

    /// <summary>Adds the settings and rules of options that are a part of these, at the same level of keys.</summary>
    public void Add<TPart>(SettingsTable<TPart> part, Func<T, TPart> get)
        where TPart : new()
    {
        _settings.AddRange(part._settings.Select(setting => new LiftedSetting<T, TPart>(setting, get)));
        _rules.AddRange(part._rules.Select<SettingsRule<TPart>, SettingsRule<T>>(rule => (options, path, violations) => rule(get(options), path, violations)));
    }

    /// <summary>Sets the options from what was given; checks keys and types, not ranges.</summary>
    public void Read(IConfiguration configuration, string path, T target, Violations violations)
    {
        if (configuration is IConfigurationSection { Value.Length: > 0 } section)
            violations.Wrong(path, section.Value, "a section");

        foreach (IConfigurationSection child in configuration.GetChildren())
        {
            if (_settings.Find(setting => setting.Key.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) is { } setting)
                setting.Read(child, Join(path, setting.Key), target, violations);
            else
                violations.Add(Join(path, child.Key), $"is no setting; {Advice(path, child.Key)}");
        }
    }

    /// <summary>Checks the ranges and the rules across settings, for options of any origin.</summary>
    public void Check(T options, string path, Violations violations)
    {
        foreach (Setting<T> setting in _settings)
            setting.Check(options, Join(path, setting.Key), violations);
        foreach (SettingsRule<T> rule in _rules)
            rule(options, path, violations);
    }

    /// <summary>Writes the options as an object that can be read again.</summary>
    public void Write(Utf8JsonWriter json, T options)
    {
        json.WriteStartObject();
        foreach (Setting<T> setting in _settings)
        {
            json.WritePropertyName(setting.Key);
            setting.Write(json, options);
        }

        json.WriteEndObject();
    }

    /// <summary>All settings, in the order of the table.</summary>
    public IEnumerable<SettingRow> Rows(string path = "") => _settings.SelectMany(setting => setting.Rows(Join(path, setting.Key)));

    public IEnumerator<Setting<T>> GetEnumerator() => _settings.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private string Advice(string path, string key) => Spelling.Nearest(key, _settings.Select(setting => setting.Key)) is { } nearest
        ? $"did you mean {Join(path, nearest)}?"
        : $"remove it, or use one of {string.Join(", ", _settings.Select(setting => setting.Key))}.";

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";
}
