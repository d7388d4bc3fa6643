namespace GrpcPool.Core.Hosting.Settings;

/// <summary>Gathers what is wrong with the settings, at most one violation per key: the first, since the others follow from it.</summary>
internal sealed class Violations
{
    private const int ShownMax = 100;

    private readonly SortedDictionary<string, string> _texts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a violation; its text begins with the key.</summary>
    public void Add(string key, string text) => _texts.TryAdd(key, $"{key} {text}");

    /// <summary>Adds a value that breaks its rule.</summary>
    public void Wrong(string key, string? value, string rule) => Add(key, $"is {Show(value)}; give {rule}.");

    /// <summary>Adds a violation of a rule across several settings, unless one of them is wrong by itself.</summary>
    public void Across(IReadOnlyList<string> keys, string text)
    {
        if (!keys.Any(_texts.ContainsKey))
            Add(keys[0], text);
    }

    /// <exception cref="SettingsException">There are violations; all are in its message.</exception>
    public void ThrowIfAny()
    {
        if (_texts.Count == 0)
            return;

        string head = _texts.Count == 1 ? "One setting is wrong:" : $"{_texts.Count} settings are wrong:";
        throw new SettingsException(string.Join("\n  ", _texts.Values.Prepend(head)));
    }

    private static string Show(string? value) => value switch
    {
        null or "" => "empty",
        { Length: > ShownMax } => $"\"{value[..ShownMax]}…\"",
        _ => $"\"{value}\"",
    };
}
