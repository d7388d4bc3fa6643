using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// The body of a call of gRPC-Web in its form as text. The library that decodes it leaves a read under way where that is no base64, and the transport, which reads the rest of it, writes a line
/// about each: that read ends here.
/// </summary>
internal sealed class TextBody(PipeReader inner) : PipeReader, IRequestBodyPipeFeature
{
    private const string TextType = "application/grpc-web-text";

    private SequencePosition? _open;

    PipeReader IRequestBodyPipeFeature.Reader => this;

    public static Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        context.Request.ContentType?.StartsWith(TextType, StringComparison.OrdinalIgnoreCase) == true && context.Features.Get<IRequestBodyPipeFeature>() is { } own
            ? new TextBody(own.Reader).ReadByAsync(context, next)
            : next(context);

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => Open(await inner.ReadAsync(cancellationToken).ConfigureAwait(false));

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        Open(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _open = null;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        EndRead();
        inner.Complete(exception);
    }

    private async Task ReadByAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set<IRequestBodyPipeFeature>(this);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            EndRead();
        }
    }

    private ReadResult Open(ReadResult result)
    {
        _open = result.Buffer.Start;
        return result;
    }

    private void EndRead()
    {
        if (_open is { } start)
            AdvanceTo(start);
    }
}
