using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;

namespace GrpcPool.Server.Tests.Access;

/// <summary>Every RPC, as the server itself lists them, by every role.</summary>
public sealed class RoleTests
{
    private const string Drain = "Drain";

    private static readonly Role[] Roles = [Role.Submit, Role.Read, Role.Work, Role.Operate, Role.Admin];

    [Fact(Timeout = 60_000)]
    public async Task Every_rpc_has_a_role()
    {
        await using TestServer server = await TestServer.StartAsync();
        Assert.NotEmpty(server.Rpcs);
        Assert.All(server.Rpcs, static rpc => Assert.True(RoleTable.Find(rpc.FullName) is not null, $"{rpc.FullName} has no role in RoleTable: nobody could call it"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_a_known_token_nothing_but_health_is_answered()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("known", Role.Admin));
        foreach (IMethod rpc in server.Rpcs)
        {
            bool open = rpc.ServiceName == "grpc.health.v1.Health";
            foreach (CallInvoker calls in (CallInvoker[])[server.Channel.CreateCallInvoker(), server.As("unknown"), server.As("")])
                Assert.Equal((rpc.FullName, !open), (rpc.FullName, await Tokens.AnswerOfAsync(calls, rpc) == StatusCode.Unauthenticated));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task With_each_role_exactly_its_rpcs_are_let_in()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => Array.ForEach(Roles, role => access.Add(RoleNames.Of(role), role)));
        foreach (IMethod rpc in server.Rpcs.OrderBy(static rpc => rpc.Name == Drain))
        {
            Role asked = RoleTable.Find(rpc.FullName)!.Value.Role;
            foreach (Role role in Roles)
            {
                StatusCode answer = await Tokens.AnswerOfAsync(server.As(RoleNames.Of(role)), rpc);
                Assert.NotEqual(StatusCode.Unauthenticated, answer);
                Assert.Equal((rpc.FullName, role, asked is not Role.None && role != asked && role != Role.Admin), (rpc.FullName, role, answer == StatusCode.PermissionDenied));
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_confined_token_is_let_into_no_rpc_that_is_about_more_than_its_queues_and_kinds()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("mail", Role.Admin, queues: ["mail"]));
        foreach (IMethod rpc in server.Rpcs.Where(static rpc => !RoleTable.Find(rpc.FullName)!.Value.Confined))
            Assert.Equal((rpc.FullName, StatusCode.PermissionDenied), (rpc.FullName, await Tokens.AnswerOfAsync(server.As("mail"), rpc)));
    }

    [Fact]
    public void The_documented_table_is_that_of_the_server()
    {
        IEnumerable<string> rows = RoleTable.All
            .Select(static rule => $"| `{rule.Key[1..]}` | {(rule.Value.Role == Role.None ? "open" : RoleNames.Of(rule.Value.Role))} | {(rule.Value.Confined ? "yes" : "no")} |");
        string[] documented = [.. File.ReadLines(Path.Combine(Repository(), "docs/security.md")).Where(static line => line.StartsWith("| `grpc", StringComparison.Ordinal))];
        Assert.Equal(rows.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    private static string Repository([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
