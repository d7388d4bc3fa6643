using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>
/// Finished tasks as bytes. As objects they are half of what a memory store costs: the garbage collector copies each of them twice, and looks at all of them ever again. Those that leave in the
/// order in which they came share arrays, which are free when the last of their rows has gone.
/// </summary>
/// <param name="pack">Where each is packed, one after the other.</param>
internal sealed class PackedTasks(PackWriter pack)
{
    /// <summary>The first array is as small as its only task, the next twice as large: a few tasks of a kind of their own must not cost much.</summary>
    private const int ArrayBytesMax = 256 * 1024;

    private byte[] _array = [];
    private int _used;

    /// <summary>Keeps the task of a row as bytes from now on.</summary>
    public void Add(ref TaskRow row, TaskRecord task)
    {
        FinishedPack.Write(pack.Clear(), task);
        ReadOnlySpan<byte> written = pack.Written;
        if (_array.Length - _used < written.Length)
        {
            _array = GC.AllocateUninitializedArray<byte>(Math.Max(written.Length, Math.Min(2 * _array.Length, ArrayBytesMax)));
            _used = 0;
        }

        written.CopyTo(_array.AsSpan(_used));
        row.Pack(new ArraySegment<byte>(_array, _used, written.Length));
        _used += written.Length;
    }
}
