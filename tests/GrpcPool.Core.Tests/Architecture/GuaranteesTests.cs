using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace GrpcPool.Core.Tests.Architecture;

/// <summary>Each promise in docs/guarantees.md has its tests.</summary>
public sealed partial class GuaranteesTests
{
    private static readonly Lazy<string[]> Tests = new(static () =>
        [.. Directory.GetFiles(Path.Combine(Repository(), "tests"), "*.cs", SearchOption.AllDirectories).Where(static path => !path.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText)]);

    public static TheoryData<string> Promises => [.. Rows().Select(static row => row.Split('|')[1].Trim())];

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_promise_names_tests_that_exist(string promise)
    {
        string proof = Rows().Single(row => row.Split('|')[1].Trim() == promise).Split('|')[3];
        MatchCollection named = Named().Matches(proof);
        Assert.NotEmpty(named);
        Assert.All(named, static test => Assert.Contains(Tests.Value, text => Declares(text, test.Groups[1].Value, test.Groups[2].Value)));
    }

    private static bool Declares(string text, string type, string method) =>
        Regex.IsMatch(text, $@"class {type}\b") && Regex.IsMatch(text, $@"\[(Fact|Theory)[^\n]*\][^{{;]*? {method}\(", RegexOptions.Singleline);

    private static IEnumerable<string> Rows() => File.ReadLines(Path.Combine(Repository(), "docs/guarantees.md"))
        .Where(static line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal) && !line.StartsWith("| promise |", StringComparison.Ordinal));

    private static string Repository([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"`(\w+)\.(\w+)`")]
    private static partial Regex Named();
}
