using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>Where settings come from: a file, the environment, the command line; later ones win.</summary>
internal static class SettingsSources
{
    /// <summary>The file that is read when there is one.</summary>
    public const string DefaultFile = "grpcpool.json";

    /// <summary>The prefix of environment variables that are settings.</summary>
    public const string EnvironmentPrefix = "GRPCPOOL__";

    private const int NamedParts = 3;

    private const string FileSuffix = "__FILE";

    /// <summary>Below it the names are those of variables, of which one may well be called FILE.</summary>
    private const string VariablesSuffix = "__ENVIRONMENT__FILE";

    /// <summary>Reads all sources.</summary>
    /// <param name="file">The file, which must exist; null for the default one in <paramref name="directory"/>, if there.</param>
    /// <param name="directory">The working directory.</param>
    /// <param name="environment">The environment variables, with and without the prefix.</param>
    /// <param name="overrides">Keys and values that win over all others.</param>
    /// <exception cref="SettingsException">The file is missing or no JSON object.</exception>
    public static IConfiguration Read(string? file, string directory, IDictionary environment, IEnumerable<KeyValuePair<string, string?>> overrides)
    {
        string path = Path.Combine(directory, file ?? DefaultFile);
        var builder = new ConfigurationBuilder();
        if (file is not null || File.Exists(path))
            builder.AddConfiguration(ReadFile(path));
        return builder.AddInMemoryCollection(ReadEnvironment(environment)).AddInMemoryCollection(LastOfEach(overrides)).Build();
    }

    private static IConfigurationRoot ReadFile(string path)
    {
        try
        {
            using var stream = new MemoryStream(File.ReadAllBytes(path));
            return new ConfigurationBuilder().AddJsonStream(stream).Build();
        }
        catch (JsonException e)
        {
            throw new SettingsException($"{path}, line {e.LineNumber + 1}, is no valid JSON: {Reason(e)}", e);
        }
        catch (FormatException e)
        {
            throw new SettingsException($"{path} cannot be used: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The file of settings cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The parser's message without its own count of lines, which starts at 0.</summary>
    private static string Reason(JsonException e) => e.Message.Split(" LineNumber:", 2)[0].Split(" Path:", 2)[0];

    private static Dictionary<string, string?> ReadEnvironment(IDictionary environment) => LastOfEach(
        from DictionaryEntry variable in environment
        let name = (string)variable.Key
        where name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)
        select ReadVariable(name, (string?)variable.Value, environment));

    /// <summary>A variable whose name ends in __FILE gives the text of a file to the setting that is named before.</summary>
    private static KeyValuePair<string, string?> ReadVariable(string name, string? value, IDictionary environment)
    {
        bool isFile = name.EndsWith(FileSuffix, StringComparison.OrdinalIgnoreCase) && !name.EndsWith(VariablesSuffix, StringComparison.OrdinalIgnoreCase);
        if (!isFile)
            return KeyValuePair.Create(KeyOf(name[EnvironmentPrefix.Length..]), value);
        string bare = name[..^FileSuffix.Length];
        if (environment.Contains(bare))
            throw new SettingsException($"{name} and {bare} are both given; keep one of them.");
        try
        {
            return KeyValuePair.Create(KeyOf(bare[EnvironmentPrefix.Length..]), (string?)File.ReadAllText(value ?? "").TrimEnd('\r', '\n'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"{name} must name a file that can be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// The key that an environment variable stands for. Its first parts become lower case, as names of queues and kinds are; what lies below
    /// them, the names of a command's own variables, keeps its case.
    /// </summary>
    private static string KeyOf(string variable)
    {
        string[] parts = variable.Split("__");
        return string.Join(':', parts.Select((part, i) => i < NamedParts ? part.ToLowerInvariant() : part));
    }

    private static Dictionary<string, string?> LastOfEach(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var last = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach ((string key, string? value) in settings)
            last[key] = value;
        return last;
    }
}
