using System.ComponentModel;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>A pipe to or from a child. Disposing closes the child's end, and this process's end unless its stream was taken.</summary>
internal sealed class ChildPipe : IDisposable
{
    private readonly SafePipeHandle _childEnd;
    private readonly SafePipeHandle _ownEnd;
    private readonly PipeDirection _direction;
    private AnonymousPipeClientStream? _stream;

    private ChildPipe(PipeDirection direction)
    {
        if (LibC.Pipe(out LibC.PipeEnds ends, LibC.CloseOnExec) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        bool writing = direction == PipeDirection.Out;
        _direction = direction;
        _ownEnd = new SafePipeHandle(writing ? ends.Writer : ends.Reader, ownsHandle: true);
        _childEnd = new SafePipeHandle(writing ? ends.Reader : ends.Writer, ownsHandle: true);
    }

    /// <summary>The descriptor for the child to duplicate.</summary>
    public int ChildEnd => (int)_childEnd.DangerousGetHandle();

    public static ChildPipe ToChild() => new(PipeDirection.Out);

    public static ChildPipe FromChild() => new(PipeDirection.In);

    /// <summary>This process's end; its reads and writes block no thread.</summary>
    public AnonymousPipeClientStream TakeStream() => _stream ??= new AnonymousPipeClientStream(_direction, _ownEnd);

    public void Dispose()
    {
        _childEnd.Dispose();
        if (_stream is null)
            _ownEnd.Dispose();
    }
}
