using Microsoft.Extensions.Options;

namespace GrpcPool.Client;

/// <summary>The rules of <see cref="GrpcPoolClientOptions"/>; names all that are broken.</summary>
internal sealed class OptionsCheck : IValidateOptions<GrpcPoolClientOptions>
{
    /// <summary>What holds for the names of namespaces and kinds.</summary>
    public const string NameRule = "1 to 64 characters of [a-z0-9._-]";

    private const int NameCharactersMax = 64;

    public static bool IsName(string name) => name.Length is > 0 and <= NameCharactersMax && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    public static void ThrowIfInvalid(GrpcPoolClientOptions options)
    {
        if (new OptionsCheck().Validate(null, options) is { Failed: true, Failures: { } violations })
            throw new OptionsValidationException(nameof(GrpcPoolClientOptions), typeof(GrpcPoolClientOptions), violations);
    }

    public ValidateOptionsResult Validate(string? name, GrpcPoolClientOptions options)
    {
        string[] violations = [.. Violations(options)];
        return violations.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(violations);
    }

    private static IEnumerable<string> Violations(GrpcPoolClientOptions options) =>
        [.. OfAddress(options), .. OfCaller(options), .. OfCertificates(options), .. OfSpan(options.RetryFor, nameof(options.RetryFor)), .. OfSpan(options.ReconnectFor, nameof(options.ReconnectFor))];

    private static IEnumerable<string> OfAddress(GrpcPoolClientOptions options)
    {
        if (!PoolChannel.IsKnown(options.Address))
            yield return "Address must be written like http://127.0.0.1:50051, https://pool.example:443 or unix:/run/grpcpool.sock.";
    }

    private static IEnumerable<string> OfCaller(GrpcPoolClientOptions options)
    {
        if (options.Namespace is { } name && !IsName(name))
            yield return $"Namespace must be {NameRule}.";
        if (options.Token is not { } token)
            yield break;
        if (token.Length == 0 || !token.All(static c => c is > ' ' and <= '~'))
            yield return "Token must be visible ASCII characters.";
        if (PoolChannel.IsKnown(options.Address) && !PoolChannel.IsConfidential(options.Address) && !options.AllowInsecureToken)
            yield return "Token would go to another machine in clear text: use https, or set AllowInsecureToken.";
    }

    private static IEnumerable<string> OfCertificates(GrpcPoolClientOptions options)
    {
        (string Name, string? Path)[] files =
        [
            (nameof(options.CaCertificateFile), options.CaCertificateFile),
            (nameof(options.ClientCertificateFile), options.ClientCertificateFile),
            (nameof(options.ClientKeyFile), options.ClientKeyFile),
        ];
        bool https = options.Address is { IsAbsoluteUri: true } address && address.Scheme == Uri.UriSchemeHttps;
        foreach ((string name, string? path) in files)
        {
            if (path is null)
                continue;
            if (!https)
                yield return $"{name} needs an https address.";
            if (!File.Exists(path))
                yield return $"{name} is not there: {path}";
        }

        if (options.ClientCertificateFile is null != options.ClientKeyFile is null)
            yield return "ClientCertificateFile and ClientKeyFile must be set together.";
    }

    private static IEnumerable<string> OfSpan(TimeSpan span, string name)
    {
        if (span < TimeSpan.Zero && span != Timeout.InfiniteTimeSpan)
            yield return $"{name} must not be negative.";
    }
}
