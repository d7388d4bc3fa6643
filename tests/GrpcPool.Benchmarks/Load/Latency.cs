namespace GrpcPool.Benchmarks.Load;

/// <summary>How long something takes, one at a time.</summary>
internal static class Latency
{
    /// <summary>Milliseconds of each run, the shortest first.</summary>
    public static async Task<double[]> MeasureAsync(int times, Func<Task> run, TimeSpan pause = default)
    {
        double[] milliseconds = new double[times];
        for (int i = 0; i < times; i++)
        {
            long begin = TimeProvider.System.GetTimestamp();
            await run();
            milliseconds[i] = TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds;
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, TimeProvider.System);
        }

        Array.Sort(milliseconds);
        return milliseconds;
    }

    public static double Percentile(double[] sorted, double percent) => sorted[(int)Math.Ceiling(sorted.Length * percent / 100) - 1];
}
