using System.Text.RegularExpressions;

namespace GrpcPool.Server.Tests.Embedding;

/// <summary>The code that the documents show is that of the sample application, which is compiled and run.</summary>
public sealed partial class DocumentationTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/embedding.md")]
    public void The_code_that_is_shown_is_in_the_sample(string document)
    {
        HashSet<string> lines = [.. Directory.GetFiles(SampleHost.Sources, "*.cs").SelectMany(File.ReadLines).Select(static line => line.Trim())];
        string text = File.ReadAllText(Path.Combine(SampleHost.Sources, "../..", document));
        string[] blocks = [.. Code().Matches(text).Select(static match => match.Groups[1].Value).Where(block => document != "README.md" || block.Contains("AddGrpcPool"))];
        Assert.NotEmpty(blocks);
        Assert.All(blocks.SelectMany(static block => block.Split('\n')), line => Assert.Contains(line.Trim(), lines));
    }

    [GeneratedRegex(@"```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
