using System.IO.Pipelines;
using GrpcPool.Server.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>What all calls together may hold of messages that have not come as a whole.</summary>
public sealed class MessageRoomTests
{
    private const long TooMuch = 1L << 40;

    private readonly MessageRoom _room = new();

    /// <summary>The reader may be that of the connection's next call.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_call_that_is_given_up_ends_no_sooner_than_its_read()
    {
        var end = new TaskCompletionSource();
        Task call = Task.CompletedTask;
        var ending = new Thread(end.SetResult); // What follows the end of the call follows on this thread.
        call = CallAsync(1, end.Task, () =>
        {
            ending.Start();
            SpinWait.SpinUntil(() => call.IsCompleted || ending.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
            Assert.False(call.IsCompleted);
        });
        await CallAsync(TooMuch, Task.CompletedTask, static () => { });
        await call;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_is_given_up_may_have_lost_its_connection()
    {
        var ending = new TaskCompletionSource();
        Task aborted = CallAsync(1, ending.Task, static () => throw new ConnectionAbortedException());
        Task reset = CallAsync(1, ending.Task, static () => throw new ConnectionResetException("reset"));
        await CallAsync(TooMuch, Task.CompletedTask, static () => { });
        ending.SetResult();
        await Task.WhenAll(aborted, reset);
    }

    /// <summary>A call that holds so much of its message, and then goes on until it ends.</summary>
    private Task CallAsync(long bytes, Task end, Action cancel)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new Body(cancel));
        return _room.InvokeAsync(context, _ =>
        {
            _room.Hold((PartialBody)context.Features.GetRequiredFeature<IRequestBodyPipeFeature>(), bytes);
            return end;
        });
    }

    /// <summary>A body that is read, and says when that is cancelled; nothing else of it may be touched.</summary>
    private sealed class Body(Action cancel) : PipeReader, IRequestBodyPipeFeature
    {
        public PipeReader Reader => this;

        public override void CancelPendingRead() => cancel();

        public override void AdvanceTo(SequencePosition consumed) => throw Touched();

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => throw Touched();

        public override void Complete(Exception? exception = null) => throw Touched();

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => throw Touched();

        public override bool TryRead(out ReadResult result) => throw Touched();

        private static InvalidOperationException Touched() => new("the room may cancel a read of the body, and nothing else");
    }
}
