using System.Globalization;
using GrpcPool.Core.Storage;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>Brings the schema of a database up to date, forward only. The database's <c>user_version</c> tells how many migrations it has.</summary>
internal static class Migrator
{
    /// <summary>Executes the migrations that are missing, all or none.</summary>
    /// <exception cref="StorageException">A newer version of the pool has written the database.</exception>
    public static void Migrate(Connection connection, string path)
    {
        long version = connection.ReadNumber("PRAGMA user_version");
        int newest = SqlText.Migrations.Count;
        if (version > newest)
        {
            throw new StorageException(
                StorageFault.WrongVersion,
                $"{path} has schema {version}, but this grpcpool knows schemas up to {newest} only: a newer grpcpool has written it. Start that one; nothing was changed.");
        }

        if (version == newest)
            return;
        connection.Execute("BEGIN IMMEDIATE");
        foreach (string migration in SqlText.Migrations.Skip((int)version))
            connection.Execute(migration);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {newest}"));
        connection.Execute("COMMIT");
    }
}
