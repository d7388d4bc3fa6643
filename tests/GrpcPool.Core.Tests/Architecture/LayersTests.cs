using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace GrpcPool.Core.Tests.Architecture;

/// <summary>Dependencies go one way: Protocol ← Client; Core ← Storage.*; {Protocol, Core, Storage.*} ← Server; {Server, Client} ← Cli.</summary>
public sealed class LayersTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["GrpcPool.Protocol"] = [],
        ["GrpcPool.Core"] = [],
        ["GrpcPool.Storage.Sqlite"] = ["GrpcPool.Core"],
        ["GrpcPool.Storage.Postgres"] = ["GrpcPool.Core"],
        ["GrpcPool.Client"] = ["GrpcPool.Protocol"],
        ["GrpcPool.Server"] = ["GrpcPool.Protocol", "GrpcPool.Core", "GrpcPool.Storage.Sqlite", "GrpcPool.Storage.Postgres"],
        ["GrpcPool.Cli"] = ["GrpcPool.Server", "GrpcPool.Client"],
    };

    public static TheoryData<string> Projects => [.. Directory.GetFiles(Source(), "*.csproj", SearchOption.AllDirectories).Select(static path => Path.GetRelativePath(Source(), path))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_the_layers_below_it(string project)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        Assert.Contains(name, Allowed.Keys);
        Assert.Empty(References(project, "ProjectReference").Select(static path => Path.GetFileNameWithoutExtension(path)).Except(Allowed[name]));
    }

    [Fact]
    public void The_domain_knows_no_transport_and_no_database()
    {
        IEnumerable<string> packages = References("GrpcPool.Core/GrpcPool.Core.csproj", "PackageReference").Concat(References("GrpcPool.Core/GrpcPool.Core.csproj", "FrameworkReference"));
        Assert.All(packages.Except(["Cronos"]), static package => Assert.StartsWith("Microsoft.Extensions.", package, StringComparison.Ordinal));
    }

    [Fact]
    public void The_protocol_has_not_one_hand_written_line() =>
        Assert.Empty(Directory.GetFiles(Path.Combine(Source(), "GrpcPool.Protocol"), "*.cs").Select(Path.GetFileName));

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Load(Path.Combine(Source(), project)).Descendants(kind).Select(static reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));

    private static string Source([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src"));
}
