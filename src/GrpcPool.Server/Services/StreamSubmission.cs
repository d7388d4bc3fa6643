using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>The way in of a stream of tasks. What has arrived while a commit was under way is submitted together.</summary>
internal sealed class StreamSubmission(TaskPool pool, SpecReader reader, IAsyncStreamReader<PackedSubmitStreamRequest> requests, IServerStreamWriter<SubmitStreamResponse> responses)
{
    /// <summary>How many items one message answers, and about how many are read ahead; a message that submits may have hundreds of thousands.</summary>
    private const int ItemsMax = 1000;

    private readonly List<Item> _items = [];

    /// <summary>The answer, whose messages are used again.</summary>
    private readonly SubmitStreamResponse _response = new();
    private readonly List<SubmitStreamResult> _results = [];

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, pool.Draining);
        Task<bool> next = MoveNextAsync(ending.Token);
        try
        {
            while (await next.ConfigureAwait(false))
            {
                do
                {
                    Take(requests.Current.Items);
                    next = MoveNextAsync(ending.Token);
                }
                while (_items.Count < ItemsMax && next is { IsCompletedSuccessfully: true, Result: true });
                foreach (Item[] items in _items.Chunk(ItemsMax))
                    await responses.WriteAsync(await SubmitAsync(items, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
                _items.Clear();
            }
        }
        finally
        {
            // A fault may have come before the end of what is read ahead.
            await ending.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(RepeatedField<PackedSubmitStreamItem> items)
    {
        var checks = new FieldChecks();
        for (int i = 0; i < items.Count; i++)
        {
            if (!items[i].HasTask)
                checks.Require(holds: false, $"items[{i}].task", "must be set");
            _items.Add(new Item(items[i], i));
        }

        checks.ThrowIfAny();
    }

    private async Task<SubmitStreamResponse> SubmitAsync(Item[] items, CancellationToken cancellation)
    {
        var batch = new ReadBatch(reader, items.Length, i => items[i].TakeTask(), i => new FieldPath("items", items[i].Index, ".task"));
        IReadOnlyList<SubmitResult> results = await SubmitInOrderAsync(batch.Tasks, cancellation).ConfigureAwait(false);
        if (results.Any(static result => result.Verdict == SubmitVerdict.Draining))
            throw new PoolErrorException(new PoolError.Draining());
        _response.Results.Clear();
        foreach (SubmitStreamResult result in batch.Merge(results, pool.Settings, ToResult, ToResult))
        {
            result.Sequence = items[_response.Results.Count].Sent.Sequence;
            _response.Results.Add(result);
        }

        return _response;
    }

    private SubmitStreamResult ToResult(SubmitResult result)
    {
        SubmitStreamResult told = NextResult();
        (told.Id, told.Created) = (result.Task!.Id.Value, result.Verdict == SubmitVerdict.Created);
        return told;
    }

    private SubmitStreamResult ToResult(PoolError error)
    {
        SubmitStreamResult told = NextResult();
        (told.Error, told.Created) = (ErrorTable.ToSubmitError(error), false);
        return told;
    }

    private SubmitStreamResult NextResult()
    {
        if (_results.Count == _response.Results.Count)
            _results.Add(new SubmitStreamResult());
        return _results[_response.Results.Count];
    }

    /// <summary>Submits as many together as there is room for; one that must wait for room holds up those behind it.</summary>
    private async Task<IReadOnlyList<SubmitResult>> SubmitInOrderAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellation)
    {
        var results = new List<SubmitResult>(tasks.Count);
        while (results.Count < tasks.Count)
        {
            IReadOnlyList<NewTask> rest = results.Count == 0 ? tasks : [.. tasks.Skip(results.Count)];
            SubmitResult[] tried = await pool.SubmitAsync(rest, atomic: false, WhenFull.StopBeforeWaiting, cancellation).ConfigureAwait(false);
            int untried = Array.FindIndex(tried, static result => result.Verdict == SubmitVerdict.NotTried);
            results.AddRange(tried.AsSpan(0, untried < 0 ? tried.Length : untried));
            if (untried >= 0)
                results.Add(await pool.SubmitAsync(tasks[results.Count], cancellation).ConfigureAwait(false));
        }

        return results;
    }

    private async Task<bool> MoveNextAsync(CancellationToken ending)
    {
        try
        {
            return await requests.MoveNext(ending).ConfigureAwait(false);
        }
        catch (Exception) when (pool.Draining.IsCancellationRequested)
        {
            throw new PoolErrorException(new PoolError.Draining());
        }
    }

    /// <param name="Sent">What was sent.</param>
    /// <param name="Index">Its place in its message.</param>
    private readonly record struct Item(PackedSubmitStreamItem Sent, int Index)
    {
        public ByteString TakeTask()
        {
            ByteString task = Sent.Task;
            Sent.ClearTask();
            return task;
        }
    }
}
