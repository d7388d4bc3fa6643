using System.Text.RegularExpressions;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>Which file systems are mounted where, as <c>/proc/self/mountinfo</c> tells.</summary>
internal sealed partial class MountTable(IEnumerable<string> lines)
{
    private const string Source = "/proc/self/mountinfo";

    /// <summary>What locks, shared memory or syncs cannot be trusted on.</summary>
    private static readonly HashSet<string> Network = new(StringComparer.Ordinal)
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "ceph", "lustre", "beegfs", "glusterfs", "gpfs", "pvfs2", "orangefs", "ocfs2", "gfs2",
        "davfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.gcsfuse", "fuse.goofys", "fuse.davfs2", "fuse.curlftpfs",
        "fuse.juicefs", "fuse.seaweedfs", "fuse.moosefs", "fuse.mfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.mount-s3", "fuse.smbnetfs", "fuse.vmhgfs-fuse", "fuse.cvmfs2",
    };

    // The fields are: id, parent, device, root, mount point, options, any number of optional ones, a dash, type.
    private readonly List<(string Point, string Type)> _mounts = [.. lines.Select(static line => Line().Match(line))
        .Where(static match => match.Success)
        .Select(static match => (Unescape(match.Groups["point"].Value), match.Groups["type"].Value))];

    public static MountTable OfThisProcess => new(File.Exists(Source) ? File.ReadLines(Source) : []);

    public static bool IsNetwork(string? type) => type is not null && Network.Contains(type);

    /// <summary>The type of the file system at a path without symbolic links; the last of those that are mounted at one point counts.</summary>
    public string? TypeAt(string path) => _mounts.Where(mount => Holds(mount.Point, path)).OrderBy(static mount => mount.Point.Length).LastOrDefault().Type;

    private static bool Holds(string point, string path) =>
        path.StartsWith(point, StringComparison.Ordinal) && (point.EndsWith('/') || path.Length == point.Length || path[point.Length] == '/');

    private static string Unescape(string text) => text.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);

    [GeneratedRegex(@"^\S+ \S+ \S+ \S+ (?<point>\S+) \S+ (?:\S+ )*?- (?<type>\S+) ")]
    private static partial Regex Line();
}
