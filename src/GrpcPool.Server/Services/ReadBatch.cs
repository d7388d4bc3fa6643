using Google.Protobuf;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;

namespace GrpcPool.Server.Services;

/// <summary>Many specs of one message: those that are well go to the pool, the others have their error, and the results come out in the order of the specs.</summary>
internal sealed class ReadBatch
{
    private readonly PoolError?[] _errors;
    private readonly List<NewTask> _tasks;

    /// <param name="reader">Who reads them.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="packed">Each of them, still packed; null for none.</param>
    /// <param name="field">The field of each in its request.</param>
    public ReadBatch(SpecReader reader, int count, Func<int, ByteString?> packed, Func<int, FieldPath> field)
    {
        _errors = new PoolError?[count];
        _tasks = new List<NewTask>(count);
        for (int i = 0; i < count; i++)
        {
            if (reader.Read(packed(i), field(i), out _errors[i]) is { } task)
                _tasks.Add(task);
        }
    }

    public IReadOnlyList<NewTask> Tasks => _tasks;

    public bool HasErrors => _tasks.Count < _errors.Length;

    /// <summary>None of the well ones is submitted.</summary>
    public void AbortRest()
    {
        _tasks.Clear();
        for (int i = 0; i < _errors.Length; i++)
            _errors[i] ??= new PoolError.Aborted();
    }

    public IEnumerable<T> Merge<T>(IReadOnlyList<SubmitResult> results, SettingsInForce settings, Func<SubmitResult, T> accepted, Func<PoolError, T> refused)
    {
        int next = 0;
        foreach (PoolError? error in _errors)
        {
            if (error is not null)
            {
                yield return refused(error);
                continue;
            }

            PoolError? refusal = ErrorTable.Of(results[next], _tasks[next], settings);
            yield return refusal is null ? accepted(results[next]) : refused(refusal);
            next++;
        }
    }
}
