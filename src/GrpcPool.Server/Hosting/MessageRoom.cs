using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// Bounds what all calls together hold of messages that have not come as a whole. Each may be as large as a message may be, and there may be a thousand on each connection: without a bound,
/// a caller who sends all but the last bytes fills the memory. Where they get too large, those that wait longest for their rest are given up. Messages that are compressed are unpacked a few
/// at a time. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the server.")]
internal sealed class MessageRoom
{
    private const long BytesMin = 16 << 20, BytesMax = 256 << 20;

    /// <summary>The share of the memory that the process may use.</summary>
    private const int Share = 8;

    private readonly Lock _lock = new();
    private readonly LinkedList<PartialBody> _waiting = [];
    private readonly long _max = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Share, BytesMin, BytesMax);
    private readonly SemaphoreSlim _unpacking = new(Math.Max(1, Environment.ProcessorCount / 2));
    private long _held;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IRequestBodyPipeFeature>() is not { } own)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        var body = new PartialBody(own, this, context);
        context.Features.Set<IRequestBodyPipeFeature>(body);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            body.EndUnpacking();
            Hold(body, 0);
            context.Features.Get<ConnectionPace>()?.Note(context);
        }
    }

    /// <summary>Unpacking takes milliseconds of a processor for a message of a few bytes: others need theirs meanwhile. Who has left waits no more.</summary>
    public Task BeginUnpackingAsync(CancellationToken aborted) => _unpacking.WaitAsync(aborted);

    public void EndUnpacking() => _unpacking.Release();

    /// <summary>Takes note of how much a body holds, which is nothing where a message has come to its end.</summary>
    public void Hold(PartialBody body, long bytes)
    {
        // Most messages come as a whole.
        if (bytes == 0 && !body.IsWaiting)
            return;
        lock (_lock)
        {
            Note(body, bytes);
            while (_held > _max && _waiting.First is { } longest)
            {
                longest.Value.GiveUp();
                Note(longest.Value, 0); // Not before: one that does not wait ends without asking here.
            }
        }
    }

    private void Note(PartialBody body, long bytes)
    {
        _held += bytes - body.Held;
        body.Held = bytes;
        if (bytes > 0 && !body.IsWaiting)
            body.Place = _waiting.AddLast(body);
        else if (bytes == 0 && body.Place is { } place)
            Remove(body, place);
    }

    private void Remove(PartialBody body, LinkedListNode<PartialBody> place)
    {
        _waiting.Remove(place);
        body.Place = null;
    }
}
