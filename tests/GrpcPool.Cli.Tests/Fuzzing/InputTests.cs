using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Testing.Fuzzing;

namespace GrpcPool.Cli.Tests.Fuzzing;

/// <summary>What is typed, or stands in a file of tasks, is read, or refused with a message, whatever it is.</summary>
public sealed class InputTests
{
    [Fact]
    public void The_values_of_options()
    {
        Option[] options = [Spans.Option("--span", ""), Times.Option("--time", ""), Times.PastOption("--past", ""), Pairs.Option("--pair", "a=b", ""), ServerAddress.Option];
        Fuzz.Texts("spans", text =>
        {
            Assert.True(!Spans.TryParse(text, out TimeSpan span) || span >= TimeSpan.Zero);
            foreach (Option option in options)
                Assert.NotNull(new RootCommand { option }.Parse([option.Name, text]).Errors);
        }, mutations: 2_000);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_lines_of_a_file_of_tasks()
    {
        string file = Path.GetTempFileName();
        try
        {
            var lines = new List<string>();
            Fuzz.Texts("specs", text => lines.Add(text.ReplaceLineEndings(" ")));
            await File.WriteAllLinesAsync(file, lines, TestContext.Current.CancellationToken);
            using var specs = new SpecLines(file);
            int read = 0;
            await foreach (SpecLine line in specs.ReadAsync(TestContext.Current.CancellationToken))
            {
                read++;
                Assert.True(line.Spec is not null || line.Error is { Length: > 0 });
            }

            Assert.InRange(read, 100, lines.Count);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
