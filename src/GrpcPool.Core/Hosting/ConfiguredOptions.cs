using GrpcPool.Core.Hosting.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace GrpcPool.Core.Hosting;

/// <summary>Sets the options from a section of the host's configuration.</summary>
internal sealed class ConfiguredOptions(IConfiguration configuration) : IConfigureOptions<GrpcPoolOptions>
{
    /// <summary>What cannot be read is told by <see cref="OptionsValidator"/>, together with everything else that is wrong.</summary>
    public void Configure(GrpcPoolOptions options) => Read(options, new Violations());

    public void Read(GrpcPoolOptions options, Violations violations) => PoolSettings.Table.Read(configuration, "", options, violations);
}

/// <summary>Checks the options when all of configuration and code has been heard.</summary>
internal sealed class OptionsValidator(IEnumerable<IConfigureOptions<GrpcPoolOptions>> sources) : IValidateOptions<GrpcPoolOptions>
{
    /// <exception cref="SettingsException">Some are wrong; all violations are in its message.</exception>
    public ValidateOptionsResult Validate(string? name, GrpcPoolOptions options)
    {
        var violations = new Violations();
        foreach (ConfiguredOptions source in sources.OfType<ConfiguredOptions>())
            source.Read(new GrpcPoolOptions(), violations);
        PoolSettings.Table.Check(options, "", violations);
        violations.ThrowIfAny();
        return ValidateOptionsResult.Success;
    }
}
