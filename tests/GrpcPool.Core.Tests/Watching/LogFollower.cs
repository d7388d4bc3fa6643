using System.Text;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Tests.Watching;

/// <summary>Reads a task's log in step with the test.</summary>
internal sealed class LogFollower : IAsyncDisposable
{
    private readonly LogReading _reading;
    private readonly IAsyncEnumerator<LogPage> _pages;
    private readonly StringBuilder _text = new();

    public LogFollower(TestPool pool, string id, long offset = 0, bool follow = true)
    {
        _reading = pool.Pool.ReadLog(TestPool.Id(id));
        _pages = _reading.ReadAsync(offset, follow, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
    }

    public string Text => _text.ToString();

    public LogPage Page => _pages.Current;

    public static async Task<string> ReadAsync(TestPool pool, string id, long offset = 0)
    {
        await using var log = new LogFollower(pool, id, offset, follow: false);
        await log.UntilEndAsync();
        return log.Text;
    }

    public async Task UntilAsync(string text)
    {
        while (!Text.EndsWith(text, StringComparison.Ordinal))
            Assert.True(await NextAsync(), "the log has ended");
    }

    public async Task UntilEndAsync()
    {
        while (await NextAsync())
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _pages.DisposeAsync();
        _reading.Dispose();
    }

    private async Task<bool> NextAsync()
    {
        if (!await _pages.MoveNextAsync())
            return false;
        _text.Append(Encoding.UTF8.GetString(_pages.Current.Data.Span));
        return true;
    }
}
