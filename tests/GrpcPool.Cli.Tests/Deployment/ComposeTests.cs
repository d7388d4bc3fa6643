using System.Globalization;
using System.Text.Json.Nodes;
using GrpcPool.Server.Tests.Polyglot;
using YamlDotNet.Serialization;

namespace GrpcPool.Cli.Tests.Deployment;

public sealed class ComposeTests
{
    private const int TimeoutMs = 60_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task The_sidecar_of_the_composition_runs_by_settings_that_exist()
    {
        Tools.Require("docker-compose");
        using var executable = new Executable();
        string file = Path.Combine(Manifest.Folder(), "compose.yaml");
        Ended read = await Executable.EndAsync(executable.StartProgram("docker-compose", ["-f", file, "config"], ("WEB_IMAGE", "shop:1")));
        Assert.Equal((0, ""), (read.Code, read.Errors));
        JsonNode services = JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(new DeserializerBuilder().Build().Deserialize(read.Output)))!["services"]!;
        JsonNode pool = services["grpcpool"]!;
        (string, string)[] environment = [.. pool["environment"]!.AsObject().Select(static variable => (variable.Key, (string)variable.Value!))];

        Ended shown = await Executable.EndAsync(executable.Start(["config"], environment));
        Assert.Equal((0, ""), (shown.Code, shown.Errors));
        JsonNode settings = JsonNode.Parse(shown.Output)!;
        TimeSpan drain = TimeSpan.Parse((string)settings["Pool"]!["DrainTimeout"]!, CultureInfo.InvariantCulture);
        Assert.True(int.Parse(((string)pool["stop_grace_period"]!).TrimEnd('s'), CultureInfo.InvariantCulture) >= drain.TotalSeconds + 2);
        Assert.Equal((string?)settings["Listen"]!["Grpc"], (string?)services["web"]!["environment"]!["GRPCPOOL_ADDRESS"]);
        Assert.Equal(("true", "service:web", "ALL", "data:/data:rw"), ((string)pool["read_only"]!, (string)pool["network_mode"]!, (string)pool["cap_drop"]![0]!, (string)pool["volumes"]![0]!));
    }
}
