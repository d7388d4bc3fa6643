namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings cannot be used. The message names every violation: its key, the given value, the rule and what to do.</summary>
public sealed class SettingsException : Exception
{
    /// <summary>Settings that cannot be used, with the reason.</summary>
    public SettingsException(string message)
        : base(message)
    {
    }

    /// <summary>Settings that cannot be used, with the reason and its cause.</summary>
    public SettingsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Settings that cannot be used.</summary>
    public SettingsException()
    {
    }
}
