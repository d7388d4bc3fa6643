using GrpcPool.Server.Tests.Polyglot;

namespace GrpcPool.Cli.Tests.Deployment;

/// <summary>The Helm chart, by helm.</summary>
internal static class Chart
{
    public static string Folder => Path.Combine(Manifest.Folder(), "helm", "grpcpool");

    public static async Task<Ended> RunAsync(params string[] arguments)
    {
        Tools.Require("helm");
        using var executable = new Executable();
        return await Executable.EndAsync(executable.StartProgram("helm", arguments));
    }

    /// <summary>What the chart makes of values, in YAML.</summary>
    public static async Task<string> MakeAsync(string values)
    {
        Ended made = await RunAsync("template", "pool", Folder, "--set", values);
        Assert.Equal((0, ""), (made.Code, made.Errors));
        return made.Output;
    }
}
