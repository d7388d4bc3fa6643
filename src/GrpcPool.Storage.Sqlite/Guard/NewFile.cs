using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>A file that is written under another name, and appears when it is complete and durable. It never replaces one.</summary>
internal sealed class NewFile : IDisposable
{
    private readonly string _path;
    private bool _complete;

    /// <exception cref="StorageException">There is such a file, or none can be made there.</exception>
    public NewFile(string path)
    {
        _path = Path.GetFullPath(path);
        TemporaryPath = $"{_path}.{Environment.ProcessId}.part";
        RefuseExisting();
        Try(() => File.Create(TemporaryPath).Dispose());
    }

    public string TemporaryPath { get; }

    /// <summary>Gives the file its name.</summary>
    /// <returns>Its size in bytes.</returns>
    public long Complete()
    {
        RefuseExisting();
        Try(() =>
        {
            using (var file = new FileStream(TemporaryPath, FileMode.Open, FileAccess.ReadWrite))
                file.Flush(flushToDisk: true);
            File.Move(TemporaryPath, _path, overwrite: false);
            Folder.Sync(Path.GetDirectoryName(_path)!);
        });
        _complete = true;
        return new FileInfo(_path).Length;
    }

    public void Dispose()
    {
        if (!_complete)
            File.Delete(TemporaryPath);
    }

    private void RefuseExisting()
    {
        if (File.Exists(_path) || Directory.Exists(_path))
            throw new StorageException(StorageFault.Exists, $"{_path} exists, and is not replaced: choose another name");
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            StorageException told = Faults.Of(fault, $"{_path} cannot be written");
            throw told.Fault == StorageFault.NotAccessible ? new StorageException(StorageFault.WrongPlace, told.Message, fault) : told;
        }
    }
}
