using System.Reflection;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>The SQL that comes with the assembly: one statement a file.</summary>
internal static class SqlText
{
    private const string MigrationPrefix = "Migrations/";

    private static readonly Assembly Assembly = typeof(SqlText).Assembly;

    /// <summary>The migrations in their order: the n-th makes version n of the schema.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
        [.. Assembly.GetManifestResourceNames().Where(static name => name.StartsWith(MigrationPrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>Prepares the statement in a file of <c>Sql/</c>.</summary>
    public static Statement PrepareFile(this Connection connection, string name) => connection.Prepare(Read($"Sql/{name}"));

    private static string Read(string name)
    {
        using Stream stream = Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"there is no {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
