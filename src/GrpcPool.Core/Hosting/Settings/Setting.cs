using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>One line of a table of settings: a value, a section or a list, with all that is done to it.</summary>
/// <typeparam name="T">The options that hold it.</typeparam>
internal abstract class Setting<T>(string key)
{
    /// <summary>The last part of the setting's key.</summary>
    public string Key { get; } = key;

    /// <summary>Sets the options from what was given; checks types, not ranges.</summary>
    /// <param name="section">What was given.</param>
    /// <param name="path">The whole key, as it is written in the table.</param>
    /// <param name="target">The options to set.</param>
    /// <param name="violations">Takes what is of the wrong type or unknown.</param>
    public abstract void Read(IConfigurationSection section, string path, T target, Violations violations);

    /// <summary>Checks the ranges, for options of any origin.</summary>
    public abstract void Check(T options, string path, Violations violations);

    /// <summary>Writes the value without its key.</summary>
    public abstract void Write(Utf8JsonWriter json, T options);

    /// <summary>The settings in this one, for the list of all settings.</summary>
    public abstract IEnumerable<SettingRow> Rows(string path);
}

/// <summary>A setting as the list of all settings shows it.</summary>
/// <param name="Key">The whole key.</param>
/// <param name="Rule">Type and range.</param>
/// <param name="Default">The default as text.</param>
/// <param name="Summary">What it is for.</param>
internal sealed record SettingRow(string Key, string Rule, string Default, string Summary);
