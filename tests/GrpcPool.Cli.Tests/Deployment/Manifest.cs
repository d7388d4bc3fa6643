using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace GrpcPool.Cli.Tests.Deployment;

/// <summary>Objects of Kubernetes that run a pool: files of <c>deploy/kubernetes</c>, or what the Helm chart makes.</summary>
internal sealed class Manifest
{
    private readonly IReadOnlyList<object> _objects;

    private Manifest(string yaml)
    {
        _objects = KubernetesYaml.LoadAllFromString(yaml, strict: true);
        Set = One<V1StatefulSet>();
        Pod = Set.Spec.Template.Spec;
        Container = (Pod.InitContainers ?? []).Concat(Pod.Containers).Single(static container => container.Name == "grpcpool");
        Settings = One<V1ConfigMap>();
        Service = One<V1Service>();
        Policy = One<V1NetworkPolicy>();
    }

    public V1StatefulSet Set { get; }

    public V1PodSpec Pod { get; }

    /// <summary>The container that runs the pool.</summary>
    public V1Container Container { get; }

    public V1ConfigMap Settings { get; }

    public V1Service Service { get; }

    public V1NetworkPolicy Policy { get; }

    public JsonNode SettingsJson => JsonNode.Parse(Settings.Data["grpcpool.json"])!;

    /// <summary>Reads a file by its name, or has the chart made with the values that its name has after it.</summary>
    /// <exception cref="Exception">It has a field that Kubernetes does not know, or a value that does not fit.</exception>
    public static async Task<Manifest> ReadAsync(string name) => new(
        name.StartsWith("chart", StringComparison.Ordinal)
            ? await Chart.MakeAsync(name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..])
            : await File.ReadAllTextAsync(Path.Combine(Folder(), "kubernetes", name), TestContext.Current.CancellationToken));

    /// <summary>The folder <c>deploy</c>.</summary>
    public static string Folder([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../deploy"));

    private T One<T>() => _objects.OfType<T>().Single();
}
