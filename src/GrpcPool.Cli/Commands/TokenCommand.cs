using System.CommandLine;
using GrpcPool.Server.Access;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool token</c></summary>
internal static class TokenCommand
{
    private const string Description = "Make tokens for a server: it knows them by their hash alone, and keeps none.";

    private const string NewDescription = """
        Print a fresh random token, and the hash for the server's settings (Access:Tokens:NAME:Hash, or a line of its HashFile).
        It is shown this once: nothing keeps it.
        """;

    private const string Examples = """
        grpcpool token new
        """;

    public static Command Create()
    {
        var create = new ExemplifiedCommand("new", CommandGroups.Pool, NewDescription, Examples);
        create.SetAction(static _ =>
        {
            (string token, string hash) = TokenHash.New();
            Console.Out.WriteLine($"token {token}\nhash  {hash}");
        });
        return new ExemplifiedCommand("token", CommandGroups.Pool, Description, Examples) { create };
    }
}
