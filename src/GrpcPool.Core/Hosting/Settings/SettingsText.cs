using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>Settings as text: those in force, and the list of all.</summary>
internal static class SettingsText
{
    /// <summary>What is shown for a secret.</summary>
    public const string Mask = "***";

    private static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The settings in force as JSON that can be read again; secrets are masked.</summary>
    public static string ToJson<T>(SettingsTable<T> table, T options)
        where T : new()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Readable))
            table.Write(json, options);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>All settings as a table in Markdown.</summary>
    public static string ToMarkdown<T>(SettingsTable<T> table)
        where T : new()
    {
        var text = new StringBuilder("| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |");
        foreach (SettingRow row in table.Rows())
            text.Append($"\n| `{row.Key}` | {row.Rule} | {row.Default} | {row.Summary} |");
        return text.ToString();
    }
}
