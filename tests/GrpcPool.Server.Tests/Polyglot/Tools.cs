namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>
/// What a machine must have for a test. Where it is missing, the test says so and is skipped; with <c>GRPCPOOL_TEST_ALL=1</c> it fails instead.
/// </summary>
internal static class Tools
{
    /// <summary>Goes on only where all of these programs are on the <c>PATH</c> or at their absolute paths.</summary>
    public static void Require(params string[] programs)
    {
        string[] missing = [.. programs.Where(static program => !IsThere(program))];
        Require(missing.Length == 0, string.Join(", ", missing));
    }

    /// <summary>Goes on only where something else than a program is there.</summary>
    public static void Require(bool isThere, string what)
    {
        if (isThere)
            return;
        string message = $"missing on this machine: {what}";
        Assert.False(Environment.GetEnvironmentVariable("GRPCPOOL_TEST_ALL") == "1", message);
        Assert.Skip(message);
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
