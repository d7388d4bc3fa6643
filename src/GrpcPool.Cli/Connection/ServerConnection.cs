using System.CommandLine;
using GrpcPool.Client;

namespace GrpcPool.Cli.Connection;

/// <summary>The options with which a command finds its server and says who it is.</summary>
internal static class ServerConnection
{
    private const string TokenVariable = "GRPCPOOL_TOKEN";
    private const string NamespaceVariable = "GRPCPOOL_NAMESPACE";
    private const string AuthoritiesVariable = "GRPCPOOL_CA";

    /// <summary>How long a server that was there may be out of reach while somebody waits or watches.</summary>
    private static readonly TimeSpan ReconnectFor = TimeSpan.FromMinutes(1);

    private static readonly Option<string?> Token = Create("--token", TokenVariable, "token", "The token to send");
    private static readonly Option<string?> Namespace = Create("--namespace", NamespaceVariable, "name", "The namespace to work in");

    /// <summary>The option with which a command trusts a server by https.</summary>
    public static Option<string?> Authorities { get; } = Create("--ca", AuthoritiesVariable, "file", "The authorities in PEM to trust instead of the system's");

    public static void AddTo(Command command)
    {
        command.Add(Authorities);
        command.Add(ServerAddress.Option);
        command.Add(Token);
        command.Add(Namespace);
    }

    /// <summary>A client of the server that is asked for.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="retryFor">How long refused submissions of many tasks are repeated; other calls are made once.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options do not go together.</exception>
    public static GrpcPoolClient Open(ParseResult result, TimeSpan retryFor) => new(new GrpcPoolClientOptions
    {
        Address = result.GetValue(ServerAddress.Option)!,
        CaCertificateFile = ReadAuthorities(result),
        Token = Read(result, Token, TokenVariable),
        Namespace = Read(result, Namespace, NamespaceVariable),
        RetryFor = retryFor,
        ReconnectFor = ReconnectFor,
    });

    public static string? ReadAuthorities(ParseResult result) => Read(result, Authorities, AuthoritiesVariable);

    // No default of the option: the help would show it, and the token is a secret.
    private static string? Read(ParseResult result, Option<string?> option, string variable) =>
        result.GetValue(option) ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null);

    private static Option<string?> Create(string name, string variable, string helpName, string description) => new(name)
    {
        Description = $"{description}, by default that of {variable}.",
        HelpName = helpName,
    };
}
