using System.Threading.Channels;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A handler under the test's control: its attempts run until the gate is opened, or until they are asked to stop.</summary>
/// <param name="stubborn">Whether it does not listen when it is asked to stop.</param>
internal sealed class Gate(bool stubborn = false) : ITaskHandler
{
    private readonly Channel<TaskContext> _started = Channel.CreateUnbounded<TaskContext>();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private int _running;

    /// <summary>How many attempts have run at a time, at most.</summary>
    public int MostRunning { get; private set; }

    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        lock (_lock)
            MostRunning = Math.Max(MostRunning, ++_running);
        try
        {
            await _started.Writer.WriteAsync(context, CancellationToken.None);
            await _opened.Task.WaitAsync(stubborn ? CancellationToken.None : stopping);
            return TaskOutcome.Succeeded(context.Payload, context.ContentType);
        }
        finally
        {
            lock (_lock)
                _running--;
        }
    }

    /// <summary>The next attempt that has started.</summary>
    public ValueTask<TaskContext> NextStartAsync() => _started.Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>Lets all attempts end, those to come at once.</summary>
    public void Open() => _opened.TrySetResult();
}
