using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using GrpcPool.Server.Tests.Infrastructure;
using k8s.Models;

namespace GrpcPool.Cli.Tests.Deployment;

/// <summary>What the manifests name, exists: fields of Kubernetes, and options, settings, ports and paths of the program.</summary>
public sealed partial class ManifestTests
{
    private const int TimeoutMs = 120_000;

    /// <summary>The user of the image.</summary>
    private const int User = 1654;

    public static TheoryData<string> Names =>
        ["sidecar.yaml", "standalone.yaml", "chart tls.secretName=a,tokens.secretName=b,tokens.access.shop.Roles={submit,read}", "chart insecure=true"];

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task The_pool_may_write_its_volume_and_nothing_else(string name)
    {
        Manifest manifest = await Manifest.ReadAsync(name);
        (V1PodSecurityContext pod, V1SecurityContext own) = (manifest.Pod.SecurityContext, manifest.Container.SecurityContext);
        Assert.True(own.RunAsNonRoot ?? pod.RunAsNonRoot);
        Assert.Equal((User, User, User), (own.RunAsUser ?? pod.RunAsUser, own.RunAsGroup ?? pod.RunAsGroup, pod.FsGroup));
        Assert.Equal("RuntimeDefault", (own.SeccompProfile ?? pod.SeccompProfile).Type);
        Assert.Equal((true, false), (own.ReadOnlyRootFilesystem, own.AllowPrivilegeEscalation));
        Assert.Equal(["ALL"], own.Capabilities.Drop);
        Assert.Null(own.Capabilities.Add);
        Assert.False(manifest.Pod.AutomountServiceAccountToken);
        Assert.Equal(["/data"], manifest.Container.VolumeMounts.Where(static mount => mount.ReadOnlyProperty != true).Select(static mount => mount.MountPath));
        Assert.True(manifest.Container.Resources.Limits.ContainsKey("memory"));
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task What_refers_to_something_finds_it(string name)
    {
        Manifest manifest = await Manifest.ReadAsync(name);
        IDictionary<string, string> labels = manifest.Set.Spec.Template.Metadata.Labels;
        Assert.Equal(labels, manifest.Set.Spec.Selector.MatchLabels);
        Assert.Equal(labels, manifest.Service.Spec.Selector);
        Assert.Equal(labels, manifest.Policy.Spec.PodSelector.MatchLabels);
        Assert.Equal(manifest.Service.Metadata.Name, manifest.Set.Spec.ServiceName);
        Assert.Equal(manifest.Settings.Metadata.Name, manifest.Pod.Volumes.Single(static volume => volume.ConfigMap is not null).ConfigMap.Name);
        Assert.Equal(
            manifest.Pod.Volumes.Select(static volume => volume.Name).Concat(manifest.Set.Spec.VolumeClaimTemplates.Select(static claim => claim.Metadata.Name)).Order(),
            manifest.Container.VolumeMounts.Select(static mount => mount.Name).Order());

        string[] ports = [.. (manifest.Pod.InitContainers ?? []).Concat(manifest.Pod.Containers).SelectMany(static container => container.Ports).Select(static port => port.Name)];
        Assert.All(manifest.Service.Spec.Ports, port => Assert.Contains(port.TargetPort.Value, ports));
        Assert.All(manifest.Policy.Spec.Ingress.SelectMany(static rule => rule.Ports), port => Assert.Contains(port.Port.Value, ports));
    }

    /// <summary>The program is given the manifest's own arguments, environment and settings; only folders and ports are those of this machine.</summary>
    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task The_pool_serves_by_the_settings_and_answers_the_probes(string name)
    {
        Manifest manifest = await Manifest.ReadAsync(name);
        using var files = new CertificateFiles();
        using var executable = new Executable();
        string settings = await PrepareAsync(manifest, executable.WorkingFolder, files);
        string[] arguments = [.. manifest.Container.Args.Select(argument => argument.Replace("/etc/grpcpool/grpcpool.json", settings, StringComparison.Ordinal))];
        (string, string)[] environment = [.. (manifest.Container.Env ?? []).Select(static variable => (variable.Name, variable.Value))];

        Ended shown = await Executable.EndAsync(executable.Start(["config", .. arguments[1..]], environment));
        Assert.Equal((0, ""), (shown.Code, shown.Errors));
        JsonNode inForce = JsonNode.Parse(shown.Output)!;
        Assert.All(manifest.Container.Ports, port => Assert.Equal(port.ContainerPort, PortOf(inForce, port.Name)));
        TimeSpan drain = TimeSpan.Parse((string)inForce["Pool"]!["DrainTimeout"]!, CultureInfo.InvariantCulture);
        Assert.True(manifest.Pod.TerminationGracePeriodSeconds >= drain.TotalSeconds + 2);
        foreach (V1Container client in manifest.Pod.Containers.Where(container => container != manifest.Container))
            Assert.Equal((string?)inForce["Listen"]!["Grpc"], client.Env.Single(static variable => variable.Name == "GRPCPOOL_ADDRESS").Value);

        string scheme = new Uri(((string)inForce["Listen"]!["Grpc"]!).Replace('*', '0')).Scheme;
        string[] free = [$"Listen:Grpc={scheme}://127.0.0.1:0", "Listen:Http=", "Listen:Ops=http://127.0.0.1:0"];
        Process server = executable.Start([.. arguments, .. free.SelectMany(static setting => (string[])["--set", setting])], environment);
        try
        {
            Uri address = await OperationsAsync(server);
            using var client = new HttpClient { BaseAddress = address };
            foreach (V1Probe probe in new[] { manifest.Container.StartupProbe, manifest.Container.LivenessProbe, manifest.Container.ReadinessProbe }.OfType<V1Probe>())
            {
                Assert.Contains(probe.HttpGet.Port.Value, manifest.Container.Ports.Select(static port => port.Name));
                Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(probe.HttpGet.Path, TestContext.Current.CancellationToken)).StatusCode);
            }

            Assert.Equal("/livez", manifest.Container.LivenessProbe.HttpGet.Path);
            Assert.Equal("/livez", manifest.Container.StartupProbe.HttpGet.Path);
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            server.Dispose();
        }
    }

    /// <summary>Lays the files out that the pod mounts.</summary>
    /// <returns>The file of settings.</returns>
    private static async Task<string> PrepareAsync(Manifest manifest, string folder, CertificateFiles files)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string run = Directory.CreateDirectory(Path.Combine(folder, "run", "tls")).Parent!.FullName;
        File.Copy(files.Certificate, Path.Combine(run, "tls", "tls.crt"));
        File.Copy(files.Key, Path.Combine(run, "tls", "tls.key"));
        Directory.CreateDirectory(Path.Combine(run, "tokens"));
        string[] tokens = [.. manifest.SettingsJson["Access"]?["Tokens"]?.AsObject().Select(static token => token.Key) ?? []];
        for (int i = 0; i < tokens.Length; i++)
            await File.WriteAllTextAsync(Path.Combine(run, "tokens", tokens[i]), new string("0123456789abcdef"[i], 64), cancellation);
        if (manifest.Container.VolumeMounts.Any(static mount => mount.MountPath == "/run/grpcpool/tls"))
            Assert.NotEmpty(tokens);
        string settings = Path.Combine(folder, "settings.json");
        await File.WriteAllTextAsync(settings, manifest.Settings.Data["grpcpool.json"].Replace("/run/grpcpool/", $"{run}/", StringComparison.Ordinal), cancellation);
        return settings;
    }

    private static int PortOf(JsonNode settings, string port) =>
        new Uri(((string)settings["Listen"]![port == "grpc" ? "Grpc" : "Ops"]!).Replace('*', '0')).Port;

    private static async Task<Uri> OperationsAsync(Process server)
    {
        while (await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (Operations().Match(line) is { Success: true } match)
                return new Uri(match.Groups[1].Value);
        }

        throw new InvalidOperationException(await server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [GeneratedRegex(@"operations on (http://[^\s,]+)")]
    private static partial Regex Operations();
}
