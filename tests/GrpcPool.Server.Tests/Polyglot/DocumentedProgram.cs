using System.Text.RegularExpressions;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The programs that <c>docs/clients.md</c> shows, two for each language.</summary>
internal static partial class DocumentedProgram
{
    /// <summary>Starts the program as it is in the document, but for the address of the server.</summary>
    public static async Task<Script> StartAsync(Language language, bool works, PolyglotServer server)
    {
        string fence = language.Name == "node" ? "js" : language.Name;
        string document = await File.ReadAllTextAsync(Path.Combine(Script.FolderOf(""), "../../docs/clients.md"), TestContext.Current.CancellationToken);
        string[] programs = [.. Fences().Matches(document).Where(match => match.Groups[1].Value == fence).Select(static match => match.Groups[2].Value)];
        Assert.Equal(2, programs.Length);
        string program = programs[works ? 1 : 0].Replace("127.0.0.1:50051", server.Address.Authority, StringComparison.Ordinal);
        return language.Name switch
        {
            "python" => Script.Start("python", Language.Python, ["-u", "-c", program], ("PYTHONPATH", "generated")),
            "node" => Script.Start("node", "node", ["--input-type=module", "--eval", program.Replace("\"protos\"", "\"../../../protos\"", StringComparison.Ordinal)]),
            _ => await CompileAsync(language.Name, works ? "work" : "submit", program),
        };
    }

    private static async Task<Script> CompileAsync(string language, string name, string program)
    {
        string folder = Path.Combine(Script.FolderOf(language), "obj", "docs");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.{(language == "cpp" ? "cc" : language)}"), program, TestContext.Current.CancellationToken);
        (int exitCode, string output) = await Script.RunAsync(language, "make", [$"bin/docs-{name}"]);
        Assert.True(exitCode == 0, output);
        return Script.Start(language, $"bin/docs-{name}", []);
    }

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fences();
}
