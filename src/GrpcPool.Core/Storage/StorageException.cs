namespace GrpcPool.Core.Storage;

/// <summary>What sort of trouble a store has.</summary>
internal enum StorageFault
{
    /// <summary>A fault of the pool itself, or one that has no name here.</summary>
    Other,

    /// <summary>The medium is full: what makes room, and reads, go on.</summary>
    Full,

    /// <summary>The medium failed to read, write or sync.</summary>
    InputOutput,

    /// <summary>Somebody else held a lock for too long.</summary>
    Busy,

    /// <summary>What is stored is damaged, or is no store.</summary>
    Corrupt,

    /// <summary>It may not be opened or written by this user, or there is no such place.</summary>
    NotAccessible,

    /// <summary>Another process serves this store.</summary>
    InUse,

    /// <summary>A newer version of the pool or another program has written it, or this machine's database library is too old.</summary>
    WrongVersion,

    /// <summary>It lies where no store can be kept safely, such as on a network file system.</summary>
    WrongPlace,

    /// <summary>What was to be made is there already.</summary>
    Exists,

    /// <summary>This kind of store cannot do that.</summary>
    Unsupported,
}

/// <summary>The store could not do what was asked; its message says what, and what helps.</summary>
internal sealed class StorageException(StorageFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StorageFault Fault { get; } = fault;
}
