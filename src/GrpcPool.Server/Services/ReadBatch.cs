using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using Spec = GrpcPool.V1.TaskSpec;

namespace GrpcPool.Server.Services;

/// <summary>Many specs of one message: those that are well go to the pool, the others have their error, and the results come out in the order of the specs.</summary>
internal sealed class ReadBatch
{
    private readonly PoolError?[] _errors;
    private readonly List<NewTask> _tasks;

    public ReadBatch(SpecReader reader, IReadOnlyList<Spec> specs, Func<int, FieldPath> field)
    {
        _errors = new PoolError?[specs.Count];
        _tasks = new List<NewTask>(specs.Count);
        for (int i = 0; i < specs.Count; i++)
        {
            if (reader.Read(specs[i], field(i), out _errors[i]) is { } task)
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
