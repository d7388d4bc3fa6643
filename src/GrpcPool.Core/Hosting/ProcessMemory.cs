namespace GrpcPool.Core.Hosting;

/// <summary>How much this process uses of the memory that it may use: that of its container where it has a limit, else that of the machine.</summary>
internal static class ProcessMemory
{
    /// <summary>The part of all memory that the runtime takes for a high load, by its own default.</summary>
    private const double HighLoad = 0.9;

    /// <summary>How large the heap may grow, in bytes.</summary>
    public static long Available => GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;

    /// <summary>The larger of two parts: of the heap, which has a limit of its own (in a container three quarters of its memory), and of the whole process.</summary>
    public static double Used()
    {
        GCMemoryInfo info = GC.GetGCMemoryInfo(GCKind.Any);
        double heap = GC.GetTotalMemory(forceFullCollection: false) / (double)info.TotalAvailableMemoryBytes;
        return Math.Max(heap, HighLoad * Environment.WorkingSet / info.HighMemoryLoadThresholdBytes);
    }

    /// <summary>Collects all garbage, and gives the memory back to the system.</summary>
    public static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
}
