using System.Diagnostics;
using System.Globalization;

namespace GrpcPool.Chaos.Faults;

/// <summary>A disk that loses with the power what was not synced: a library that is preloaded into the server stands in for it.</summary>
/// <param name="folder">Where the database is.</param>
/// <param name="earlyPercentage">How many of the writes reach the disk before their fsync, in whatever order.</param>
/// <param name="seed">Chooses those.</param>
internal sealed class LossyDisk(string folder, int earlyPercentage, int seed)
{
    private static readonly string[] Compilers = ["cc", "gcc", "clang"];

    private static readonly Lazy<string> Library = new(Compile);

    private string Database => Path.Combine(folder, Site.DatabaseFile);

    private string FailFile => Path.Combine(folder, "fail");

    /// <summary>Whether this machine has what it takes.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && Compiler() is not null;

    /// <summary>What the server's environment must have.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["LD_PRELOAD"] = Library.Value,
        ["LOSTWRITES_DATABASE"] = Database,
        ["LOSTWRITES_EARLY"] = earlyPercentage.ToString(CultureInfo.InvariantCulture),
        ["LOSTWRITES_SEED"] = seed.ToString(CultureInfo.InvariantCulture),
        ["LOSTWRITES_FAIL"] = FailFile,
    };

    /// <summary>From now on fsync fails with EIO.</summary>
    public void Break() => File.WriteAllBytes(FailFile, []);

    /// <summary>fsync works again, but for what it has failed on.</summary>
    public void Mend() => File.Delete(FailFile);

    /// <summary>Once the server is dead, leaves of its files what the disk has of them.</summary>
    public void LosePower()
    {
        Mend();
        foreach (string kept in Directory.GetFiles(folder, "*.disk"))
            File.Move(kept, Path.ChangeExtension(kept, null), overwrite: true);
        File.Delete($"{Database}-shm");
    }

    private static string? Compiler() => Compilers.FirstOrDefault(static program =>
        (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program))));

    private static string Compile()
    {
        string library = Path.Combine(Directory.CreateTempSubdirectory("grpcpool-lostwrites-").FullName, "lostwrites.so");
        using var compile = Process.Start(Compiler()!, ["-O2", "-shared", "-fPIC", "-o", library, Path.Combine(AppContext.BaseDirectory, "lostwrites.c"), "-ldl", "-lpthread"]);
        compile.WaitForExit();
        return compile.ExitCode == 0 ? library : throw new InvalidOperationException("lostwrites.c was not compiled");
    }
}
