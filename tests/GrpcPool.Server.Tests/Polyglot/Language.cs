using System.Collections.Concurrent;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>One of the languages below <c>tests/polyglot</c>: what it takes to build its programs, and how they are started in its folder.</summary>
internal sealed record Language(string Name, string[] Programs, string[] Files, string[] Build, string[] Client, string[] Worker)
{
    private static readonly Language[] All =
    [
        new("python", ["protoc", "grpc_python_plugin", Python], ["/usr/include/google/protobuf/duration.proto", "/usr/lib/python3/dist-packages/grpc"],
            ["./generate"], ["./client.py"], ["./worker.py"]),
        new("node", ["node"], ["node_modules/@grpc/grpc-js", "node_modules/@grpc/proto-loader"], [], ["node", "client.mjs"], ["node", "worker.mjs"]),
        new("go", ["make", "protoc", "go", "protoc-gen-go", "protoc-gen-go-grpc"], ["/usr/share/gocode/src/google.golang.org/grpc", "/usr/share/gocode/src/google.golang.org/protobuf"],
            Make, ["bin/client"], ["bin/worker"]),
        new("java", ["make", "protoc", "javac", "grpc_java_plugin"], [.. Jars("grpc-netty", "grpc-protobuf", "protobuf-util", "gson", "netty-codec-http2", "perfmark-api")],
            Make, ["bin/client"], ["bin/worker"]),
        new("cpp", ["make", "protoc", "g++", "grpc_cpp_plugin"], ["/usr/include/grpcpp/grpcpp.h"], Make, ["bin/client"], ["bin/worker"]),
    ];

    private static readonly ConcurrentDictionary<string, Lazy<Task>> Builds = new();

    public const string Python = "/usr/bin/python3";

    public static string[] Names { get; } = [.. All.Select(static language => language.Name)];

    private static string[] Make => ["make", "--jobs=2"];

    /// <summary>The language, with its programs built, once for all tests; skips the test where tools are missing.</summary>
    public static async Task<Language> RequireAsync(string name)
    {
        Language language = All.Single(language => language.Name == name);
        Tools.Require(language.Programs);
        string[] missing = [.. language.Files.Select(file => Path.Combine(Script.FolderOf(name), file)).Where(static file => !Path.Exists(file))];
        Tools.Require(missing.Length == 0, string.Join(", ", missing));
        await Builds.GetOrAdd(name, static (_, language) => new Lazy<Task>(() => BuildAsync(language)), language).Value.WaitAsync(TestContext.Current.CancellationToken);
        return language;
    }

    /// <summary>Runs the client to its end, and returns what it wrote.</summary>
    public async Task<string> RunClientAsync(PolyglotServer server, params string[] arguments)
    {
        (int exitCode, string output) = await Script.RunAsync(Name, Client[0], [.. Client[1..], .. arguments], server.Environment);
        Assert.True(exitCode == 0, output);
        return output.TrimEnd();
    }

    private static IEnumerable<string> Jars(params string[] names) => names.Select(static name => $"/usr/share/java/{name}.jar");

    /// <summary>It is for all tests, and does not end with the one that came first.</summary>
    private static async Task BuildAsync(Language language)
    {
        if (language.Build is not [string program, .. string[] arguments])
            return;
        using Script script = Script.Start(language.Name, program, arguments);
        (int exitCode, string output) = await script.EndHoweverLongAsync();
        Assert.True(exitCode == 0, output);
    }
}
