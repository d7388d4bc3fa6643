using System.Collections;
using System.Text;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Tests.Hosting;

/// <summary>Reads the settings of the pool as a start does.</summary>
internal static class SettingsReader
{
    public static GrpcPoolOptions ReadJson(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return Read(new ConfigurationBuilder().AddJsonStream(stream).Build());
    }

    public static GrpcPoolOptions ReadKeys(params (string Key, string? Value)[] settings) => Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).Build());

    public static GrpcPoolOptions ReadEnvironment(params (string Name, string Value)[] variables) =>
        Read(SettingsSources.Read(null, Path.GetTempPath(), Variables(variables), []));

    public static GrpcPoolOptions Read(IConfiguration configuration)
    {
        var options = new GrpcPoolOptions();
        var violations = new Violations();
        PoolSettings.Table.Read(configuration, "", options, violations);
        PoolSettings.Table.Check(options, "", violations);
        violations.ThrowIfAny();
        return options;
    }

    /// <summary>The lines of the message that refuses these settings, without the first.</summary>
    public static string[] Refuse(params (string Key, string? Value)[] settings) =>
        Lines(Assert.Throws<SettingsException>(() => ReadKeys(settings)));

    public static string[] RefuseJson(string json) => Lines(Assert.Throws<SettingsException>(() => ReadJson(json)));

    public static IDictionary Variables(params (string Name, string Value)[] variables) =>
        new Hashtable(variables.ToDictionary(variable => variable.Name, variable => variable.Value));

    private static string[] Lines(SettingsException e) => [.. e.Message.Split('\n').Skip(1).Select(line => line.Trim())];
}
