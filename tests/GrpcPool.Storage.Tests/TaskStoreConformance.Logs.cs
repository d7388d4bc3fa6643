using System.Text;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    private const int LogBytesMax = 4 * LogChunk.BytesMax;

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_log_is_read_from_any_offset()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        await Log(running, "one ");
        await Log(running, "two");
        Assert.Equal("one two", await LogOf("a"));
        Assert.Equal("two", await LogOf("a", offset: 4));
        Assert.Equal(("e t", 2, 0, false), await PageOf("a", offset: 2, bytesMax: 3));
        Assert.Equal(("", 7, 0, false), await PageOf("a", offset: 7));
        Assert.Equal(("", 99, 0, false), await PageOf("a", offset: 99));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_without_output_has_an_empty_log_and_an_unknown_one_has_none()
    {
        await Store.InsertAsync(Given.Task("a"));
        Assert.Equal(("", 0, 0, false), await PageOf("a"));
        Assert.Null(await Store.Store.ReadLogAsync(Given.Id("unknown"), 0, 100));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Logging_changes_no_version_and_tells_whose_log_is_longer()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        CommitResult commit = await Store.CommitAsync(new AppendLog(running.Id, running.Claim, Piece("text")));
        Assert.Empty(commit.Changes);
        Assert.Equal((running.Id, ChangeType.Logged), Assert.Single(commit.Logged) switch { var logged => (logged.Task.Id, logged.Type) });
        Assert.Equal((running.Version, running.Revision), await Store.GetAsync("a") switch { var task => (task.Version, task.Revision) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_last_piece_of_a_log_comes_with_the_ending()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        await Log(running, "begun, ");
        await Store.CommitAsync(new EndAttempt(running.Id, running.Claim, Given.Success) { LastPiece = Piece("ended") });
        Assert.Equal(("begun, ended", 0, 0, true), await PageOf("a"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task All_attempts_go_on_in_the_same_log()
    {
        TaskRecord first = await Store.RunAsync(Given.Task("a", Persistent));
        await Log(first, "first ");
        await Store.EndAsync(first, Given.RetryableFailure);
        await Log(await WakeAndStart("a", TimeSpan.FromSeconds(1)), "second ");
        await Store.EndAsync(await Store.GetAsync("a"), Given.FinalFailure);
        await Store.RetryAsync("a");
        await Log(await Store.StartAsync("a"), "third");
        Assert.Equal("first second third", await LogOf("a"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_stale_claim_logs_nothing()
    {
        TaskRecord first = await Store.RunAsync(Given.Task("a"));
        await Store.EndAsync(first, Given.ReleasedUnrun);
        await AssertLogsNothing(first);
        TaskRecord second = await Store.StartAsync("a");
        await AssertLogsNothing(first);
        await Store.CommitAsync(new EndAttempt(first.Id, first.Claim, Given.Success) { LastPiece = Piece("stale") });
        await Store.EndAsync(second, Given.Success);
        await AssertLogsNothing(second);
        await AssertLogsNothing(second with { Id = Given.Id("unknown") });
        Assert.Equal("", await LogOf("a"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_log_keeps_its_last_bytes_but_for_less_than_a_chunk()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        string written = string.Concat(Enumerable.Range(0, 10_000).Select(line => $"line {line}\n"));
        foreach (char[] piece in written.Chunk(777))
            await Log(running, new string(piece));
        (byte[] kept, long truncatedBefore) = await Store.ReadLogAsync("a");
        Assert.InRange(kept.Length, LogBytesMax - LogChunk.BytesMax + 1, LogBytesMax);
        Assert.Equal(written[(int)truncatedBefore..], Encoding.UTF8.GetString(kept));
        Assert.Equal((truncatedBefore, truncatedBefore), await Store.Store.ReadLogAsync(Given.Id("a"), 5, 100) switch { var page => (page!.Value.Offset, page.Value.TruncatedBefore) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_was_given_up_unwritten_takes_all_before_it_along()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        await Log(running, "before");
        await Store.DoAsync(new AppendLog(running.Id, running.Claim, Piece(new string('x', LogBytesMax)) with { Skipped = 1000 }));
        Assert.Equal((new string('x', LogBytesMax), 1006, 1006, false), await PageOf("a", bytesMax: 2 * LogBytesMax));
        await Log(running, "after");
        Assert.EndsWith("xxafter", await LogOf("a"), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_log_goes_with_its_task()
    {
        TaskRecord deleted = await Store.RunAsync(Given.Task("deleted"));
        await Log(deleted, "text");
        await Store.EndAsync(deleted, Given.Success);
        await Store.DoAsync(new DeleteTask(deleted.Id));
        TaskRecord pruned = await Store.RunAsync(Given.Task("pruned"));
        await Log(pruned, "text");
        await Store.EndAsync(pruned, Given.Success);
        await Store.CommitAsync(new PruneTasks(Keep: 0, Max: 10));
        foreach (string id in (string[])["deleted", "pruned"])
        {
            Assert.Null(await Store.Store.ReadLogAsync(Given.Id(id), 0, 100));
            await Store.InsertAsync(Given.Task(id));
            Assert.Equal("", await LogOf(id));
        }
    }

    private static LogPiece Piece(string text) => new(Encoding.UTF8.GetBytes(text), 0, LogBytesMax);

    private async Task Log(TaskRecord running, string text) =>
        Assert.Equal(Verdict.Done, (await Store.DoAsync(new AppendLog(running.Id, running.Claim, Piece(text)))).Verdict);

    private async Task AssertLogsNothing(TaskRecord stale)
    {
        CommitResult commit = await Store.CommitAsync(new AppendLog(stale.Id, stale.Claim, Piece("stale")));
        Assert.Equal(Verdict.Refused, commit.Outcomes[0].Verdict);
        Assert.Empty(commit.Logged);
    }

    private async Task<string> LogOf(string id, long offset = 0) => Encoding.UTF8.GetString((await Store.ReadLogAsync(id, offset)).Data);

    private async Task<(string Text, long Offset, long TruncatedBefore, bool Finished)> PageOf(string id, long offset = 0, int bytesMax = 100) =>
        await Store.Store.ReadLogAsync(Given.Id(id), offset, bytesMax) is { } page
            ? (Encoding.UTF8.GetString(page.Data.Span), page.Offset, page.TruncatedBefore, page.Finished)
            : throw new InvalidOperationException($"{id} is gone");
}
