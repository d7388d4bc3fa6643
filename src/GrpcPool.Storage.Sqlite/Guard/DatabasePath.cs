namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>Where a database is, whatever leads there.</summary>
internal static class DatabasePath
{
    /// <summary>Makes the folder where it is missing, and resolves symbolic links: two names of one database would be two locks.</summary>
    public static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        DirectoryInfo folder = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string real = Path.Combine(RealPath(folder), Path.GetFileName(full));
        return new FileInfo(real).LinkTarget is null ? real : Resolve(File.ResolveLinkTarget(real, returnFinalTarget: true)!.FullName);
    }

    private static string RealPath(DirectoryInfo folder)
    {
        if (folder.ResolveLinkTarget(returnFinalTarget: true) is { } target)
            return RealPath(new DirectoryInfo(target.FullName));
        return folder.Parent is null ? folder.FullName : Path.Combine(RealPath(folder.Parent), folder.Name);
    }
}
