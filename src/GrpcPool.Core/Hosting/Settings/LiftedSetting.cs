using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>A setting of options that are a part of larger ones, at the same level of keys.</summary>
internal sealed class LiftedSetting<T, TPart>(Setting<TPart> inner, Func<T, TPart> get) : Setting<T>(inner.Key)
{
    public override void Read(IConfigurationSection section, string path, T target, Violations violations) =>
        inner.Read(section, path, get(target), violations);

    public override void Check(T options, string path, Violations violations) => inner.Check(get(options), path, violations);

    public override void Write(Utf8JsonWriter json, T options) => inner.Write(json, get(options));

    public override IEnumerable<SettingRow> Rows(string path) => inner.Rows(path);
}
