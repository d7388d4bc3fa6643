using GrpcPool.Core.Handlers;

namespace GrpcPool.SampleHost;

/// <summary>JSON in, JSON out: makes an image smaller, row by row.</summary>
internal sealed class ResizeHandler(ImageStore images, TimeProvider time) : TaskHandler<ResizeRequest>(AppJson.Default.ResizeRequest)
{
    private static readonly TimeSpan RowTime = TimeSpan.FromMilliseconds(1);

    protected override async ValueTask<TaskOutcome> RunAsync(ResizeRequest request, TaskContext context, CancellationToken stopping)
    {
        if (images.Find(request.Image) is not { } size)
            return TaskOutcome.Failed($"there is no image {request.Image}");

        int height = size.Height * request.Width / size.Width;
        context.WriteLog($"{request.Image} becomes {request.Width} × {height}\n");
        for (int row = 1; row <= height; row++)
        {
            await Task.Delay(RowTime, time, stopping);
            context.ReportProgress((double)row / height, $"row {row} of {height}");
        }

        return TaskOutcome.Succeeded(new ResizeResult(request.Image, request.Width, height), AppJson.Default.ResizeResult);
    }
}
