using System.Text;
using GrpcPool.Core.Handlers.Processes;

namespace GrpcPool.Core.Tests.Handlers;

public sealed class StandardErrorTests
{
    private const string Written =
        "one\n::progress 0.25 a quarter\n\n:: progress 1\n::progress\n::progress soon\n  ::progress 1\ntwo ::progress 1\n::progress 0.5\r\nätt\n::prog\n:\n::progress 1 the end";

    private const string Logged = "one\n\n:: progress 1\n::progress\n::progress soon\n  ::progress 1\ntwo ::progress 1\nätt\n::prog\n:\n";

    [Theory(Timeout = 30_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(1000)]
    public async Task Only_whole_lines_of_progress_are_taken_out_however_they_come_in(int bytesRead)
    {
        using FakeTaskContext context = await ReadAsync(Encoding.UTF8.GetBytes(Written), bytesRead);
        Assert.Equal([(0.25, "a quarter"), (0.5, ""), (1.0, "the end")], context.Reports);
        Assert.Equal(Logged, Encoding.UTF8.GetString(context.Logged));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_line_without_an_end_is_logged_as_it_comes()
    {
        using FakeTaskContext context = await ReadAsync(Encoding.UTF8.GetBytes("::progress " + new string('1', 1 << 20)), 4096);
        Assert.Empty(context.Reports);
        Assert.Equal(1 << 20, context.Logged.Length);
    }

    /// <summary>Counts what its own thread allocates, for the heap belongs to all the tests that run at the same time.</summary>
    [Theory]
    [InlineData("y\n")]
    [InlineData("\0")]
    [InlineData(":\n")]
    public void Memory_does_not_grow_with_what_is_written(string repeated)
    {
        using var context = new FakeTaskContext();
        using var written = new Repeated(Encoding.UTF8.GetBytes(repeated), 64 << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Task reading = new StandardError(context).ReadAsync(written, TestContext.Current.CancellationToken);
        Assert.True(reading.IsCompletedSuccessfully);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.True(written.IsAtEnd);
    }

    private static async Task<FakeTaskContext> ReadAsync(byte[] bytes, int bytesRead)
    {
        var context = new FakeTaskContext();
        await new StandardError(context).ReadAsync(new Trickle(bytes, bytesRead), TestContext.Current.CancellationToken);
        return context;
    }

    /// <summary>Gives a few bytes at each read.</summary>
    private sealed class Trickle(byte[] bytes, int bytesRead) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(bytesRead, buffer.Length)], cancellationToken);
    }

    /// <summary>Gives the same bytes over and over, at once.</summary>
    private sealed class Repeated(byte[] bytes, long length) : MemoryStream
    {
        private long _read;

        public bool IsAtEnd => _read == length;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = (int)Math.Min(buffer.Length, length - _read);
            for (int i = 0; i < count; i++)
                buffer.Span[i] = bytes[_read++ % bytes.Length];
            return ValueTask.FromResult(count);
        }
    }
}
