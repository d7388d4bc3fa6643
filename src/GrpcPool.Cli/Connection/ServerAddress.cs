using System.CommandLine;
using System.CommandLine.Parsing;

namespace GrpcPool.Cli.Connection;

/// <summary>The option with which a client command finds its server.</summary>
internal static class ServerAddress
{
    private const string Variable = "GRPCPOOL_ADDRESS";
    private const string UnixScheme = "unix";
    private const string Default = "http://127.0.0.1:50051";
    private const string Forms = "http://host:port, https://host:port or unix:/path";

    public static Option<Uri> Option { get; } = new("--address")
    {
        Description = $"The server's address, {Forms}, by default that of {Variable}, else {Default}.",
        HelpName = "url",
        CustomParser = result => Parse(result, result.Tokens[0].Value, "--address"),
        DefaultValueFactory = FromEnvironment,
    };

    private static Uri FromEnvironment(ArgumentResult result) =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? Parse(result, text, Variable)! : new Uri(Default);

    private static Uri? Parse(ArgumentResult result, string text, string source)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && IsKnown(address))
            return address;

        result.AddError($"{source} \"{text}\" is no address; write it as {Forms}.");
        return null;
    }

    private static bool IsKnown(Uri address) =>
        address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps || (address.Scheme == UnixScheme && address.AbsolutePath.StartsWith('/'));
}
