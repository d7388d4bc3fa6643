using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>The reports that were not accepted yet, numbered. Thread-safe.</summary>
internal sealed class ReportBook
{
    /// <summary>With so many messages unaccepted, the worker asks for nothing more.</summary>
    private const int MessagesMax = 1_000;

    private readonly Lock _lock = new();
    private readonly Queue<Reports> _unaccepted = new();
    private long _sequence;

    public bool IsEmpty => Count == 0;

    public bool IsFull => Count >= MessagesMax;

    private int Count
    {
        get
        {
            lock (_lock)
                return _unaccepted.Count;
        }
    }

    /// <summary>Numbers a message, and keeps it until it is accepted.</summary>
    public Reports Add(Reports message)
    {
        lock (_lock)
        {
            message.Sequence = ++_sequence;
            _unaccepted.Enqueue(message);
            return message;
        }
    }

    public void Accept(long sequence)
    {
        lock (_lock)
        {
            while (_unaccepted.TryPeek(out Reports? message) && message.Sequence <= sequence)
                _unaccepted.Dequeue();
        }
    }

    /// <summary>Numbers what is kept from 1, for a pool that knows nothing of it.</summary>
    public void Renumber()
    {
        lock (_lock)
        {
            _sequence = 0;
            foreach (Reports message in _unaccepted)
                message.Sequence = ++_sequence;
        }
    }

    /// <summary>What is to be sent again.</summary>
    public Reports[] Unaccepted()
    {
        lock (_lock)
            return [.. _unaccepted];
    }
}
