using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary>Submits the tasks of a file and tells what becomes of each line.</summary>
internal sealed class BulkRun(SpecLines lines, OutputFormat format) : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly StatusLine _status = new();

    /// <summary>The lines that are under way, by their place among the submitted; the client bounds how many.</summary>
    private readonly ConcurrentDictionary<long, long> _numbers = [];
    private readonly Lock _refusing = new();
    private long _accepted, _refused, _shownAt;
    private (long Line, int Code) _first = (long.MaxValue, ExitCodes.Ended);

    /// <returns>The exit code.</returns>
    public async Task<int> SubmitAsync(GrpcPoolClient client, CancellationToken cancellationToken)
    {
        await foreach (SubmitOutcome outcome in client.SubmitManyAsync(ReadAsync(cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            _numbers.TryRemove(outcome.Index, out long number);
            Take(outcome, number);
            ShowProgress();
        }

        _status.Show("");
        if (format == OutputFormat.Table)
            Console.Out.WriteLine($"{Wording.Count(_accepted, "task")} accepted{(_refused == 0 ? "" : $", {Wording.Count(_refused, "line")} refused")}.");
        return _first.Code;
    }

    public void Dispose() => _status.Dispose();

    private async IAsyncEnumerable<TaskSpec> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long index = 0;
        await foreach (SpecLine line in lines.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (line.Spec is null)
            {
                Refuse(line.Number, new Fault(line.Error!, ExitCodes.Usage));
                continue;
            }

            _numbers[index++] = line.Number;
            yield return line.Spec;
        }
    }

    private void Take(SubmitOutcome outcome, long number)
    {
        if (format == OutputFormat.Json)
            Console.Out.WriteLine(TaskOutput.ToJson(ToResult(outcome, number)));
        else if (format == OutputFormat.Id && outcome.Accepted)
            Console.Out.WriteLine(outcome.Id);
        if (outcome.Error is { } error)
            Refuse(number, Fault.Of(error));
        else
            _accepted++;
    }

    private void Refuse(long number, Fault fault)
    {
        lock (_refusing)
        {
            _refused++;
            if (number < _first.Line)
                _first = (number, fault.Code);
        }

        _status.WriteLine($"grpcpool: line {number}: {Wording.Line(fault.Text)}");
    }

    private void ShowProgress()
    {
        if (Screen.IsErrorPlain || TimeProvider.System.GetElapsedTime(_shownAt) < Tick)
            return;
        _shownAt = TimeProvider.System.GetTimestamp();
        _status.Show($"{(lines.Done is { } done ? StatusLine.Bar(done) : "")} {Wording.Count(_accepted, "task")} accepted");
    }

    private static SubmitStreamResult ToResult(SubmitOutcome outcome, long number) => outcome.Error is { } error
        ? new SubmitStreamResult { Sequence = number, Error = error }
        : new SubmitStreamResult { Sequence = number, Id = outcome.Id, Created = outcome.Created };
}
