using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;

namespace GrpcPool.Benchmarks.Load;

/// <summary>What a load did to a server.</summary>
/// <param name="PerSecond">Calls, tasks or events per second.</param>
/// <param name="CpuPer100K">Seconds of the server's processor time per 100,000 of them.</param>
internal readonly record struct Rate(double PerSecond, double CpuPer100K)
{
    /// <summary>What was done since a moment.</summary>
    /// <param name="server">To whom.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="begin">The moment, as a timestamp.</param>
    /// <param name="cpu">The processor time that the server had used then.</param>
    public static Rate Since(ServerProcess server, long count, long begin, TimeSpan cpu) =>
        new(count / TimeProvider.System.GetElapsedTime(begin).TotalSeconds, (server.Cpu - cpu).TotalSeconds / count * 100_000);

    /// <summary>The medians of some rates, for a person.</summary>
    public static string Text(IReadOnlyCollection<Rate> rates, string unit) =>
        $"{Measurement.Text(Measurement.MedianOf(rates.Select(static rate => rate.PerSecond)))} {unit}/s with {Measurement.Text(Measurement.MedianOf(rates.Select(static rate => rate.CpuPer100K)))} s CPU per 100 k";
}

/// <summary>Load by h2load (nghttp2), which costs a fraction of what the server does.</summary>
internal static partial class H2Load
{
    private const int AnswerBytesMin = 20;

    /// <summary>Makes unary calls on some connections, with so many in flight on each.</summary>
    public static async Task<Rate> RunAsync(ServerProcess server, string method, IMessage request, int calls, int connections = 4, int inFlight = 16)
    {
        string body = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(body, Frame(request));
            TimeSpan before = server.Cpu;
            string output = await RunAsync(
                "-n", Text(calls), "-c", Text(connections), "-m", Text(inFlight), "-t", "1", "-d", body,
                "-H", "content-type: application/grpc", "-H", "te: trailers", $"http://127.0.0.1:{server.Port}/{method}");
            TimeSpan cpu = server.Cpu - before;
            Check(output, calls);
            return new Rate(double.Parse(RatePattern().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), cpu.TotalSeconds / calls * 100_000);
        }
        finally
        {
            File.Delete(body);
        }
    }

    /// <summary>An error of gRPC has no body, and is no answer.</summary>
    private static void Check(string output, int calls)
    {
        bool all = output.Contains($"{calls} succeeded, 0 failed, 0 errored", StringComparison.Ordinal);
        if (!all || long.Parse(DataPattern().Match(output).Groups[1].Value, CultureInfo.InvariantCulture) < (long)calls * AnswerBytesMin)
            throw new InvalidOperationException($"Not all calls were answered:\n{output}");
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("h2load", arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    private static byte[] Frame(IMessage message)
    {
        byte[] frame = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        message.WriteTo(frame.AsSpan(5));
        return frame;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"finished in .*?, ([\d.]+) req/s")]
    private static partial Regex RatePattern();

    [GeneratedRegex(@"\((\d+)\) data")]
    private static partial Regex DataPattern();
}
