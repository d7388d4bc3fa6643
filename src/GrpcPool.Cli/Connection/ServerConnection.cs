using System.CommandLine;
using GrpcPool.Client;

namespace GrpcPool.Cli.Connection;

/// <summary>The options with which a command finds its server and says who it is.</summary>
internal static class ServerConnection
{
    private const string TokenVariable = "GRPCPOOL_TOKEN";
    private const string NamespaceVariable = "GRPCPOOL_NAMESPACE";
    private const string AuthoritiesVariable = "GRPCPOOL_CA";
    private const string CertificateVariable = "GRPCPOOL_CERT";
    private const string KeyVariable = "GRPCPOOL_CERT_KEY";

    /// <summary>How long a server that was there may be out of reach while somebody waits or watches.</summary>
    private static readonly TimeSpan ReconnectFor = TimeSpan.FromMinutes(1);

    private static readonly Option<string?> Token = Create("--token", TokenVariable, "token", "The token to send");
    private static readonly Option<string?> Namespace = Create("--namespace", NamespaceVariable, "name", "The namespace to work in");

    private static readonly Option<string?> Authorities = Create("--ca", AuthoritiesVariable, "file", "The authorities in PEM to trust instead of the system's");
    private static readonly Option<string?> Certificate = Create("--cert", CertificateVariable, "file", "The certificate in PEM to show");
    private static readonly Option<string?> Key = Create("--cert-key", KeyVariable, "file", "Its private key in PEM");

    public static void AddTo(Command command)
    {
        AddServerTo(command);
        command.Add(Token);
        command.Add(Namespace);
    }

    /// <summary>Adds what it takes to reach a server, without who calls.</summary>
    public static void AddServerTo(Command command)
    {
        command.Add(ServerAddress.Option);
        command.Add(Authorities);
        command.Add(Certificate);
        command.Add(Key);
    }

    /// <summary>How the server is reached that is asked for.</summary>
    public static GrpcPoolClientOptions ServerOf(ParseResult result) => new()
    {
        Address = result.GetValue(ServerAddress.Option)!,
        CaCertificateFile = Read(result, Authorities, AuthoritiesVariable),
        ClientCertificateFile = Read(result, Certificate, CertificateVariable),
        ClientKeyFile = Read(result, Key, KeyVariable),
    };

    /// <summary>A client of the server that is asked for.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="retryFor">How long refused submissions of many tasks are repeated; other calls are made once.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options do not go together.</exception>
    public static GrpcPoolClient Open(ParseResult result, TimeSpan retryFor)
    {
        GrpcPoolClientOptions options = ServerOf(result);
        options.Token = Read(result, Token, TokenVariable);
        options.Namespace = Read(result, Namespace, NamespaceVariable);
        (options.RetryFor, options.ReconnectFor) = (retryFor, ReconnectFor);
        return new GrpcPoolClient(options);
    }

    // No default of the option: the help would show it, and the token is a secret.
    private static string? Read(ParseResult result, Option<string?> option, string variable) =>
        result.GetValue(option) ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null);

    private static Option<string?> Create(string name, string variable, string helpName, string description) => new(name)
    {
        Description = $"{description}, by default that of {variable}.",
        HelpName = helpName,
    };
}
