using System.Text;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>What a look at a tree of processes found.</summary>
internal enum TreeState
{
    /// <summary>Nothing of it is alive.</summary>
    Gone,

    /// <summary>Nothing alive was found, but processes came or went meanwhile: one may have been missed.</summary>
    Unclear,

    /// <summary>Something was alive, or the processes could not be read.</summary>
    Alive,
}

/// <summary>
/// All processes of one attempt: the leader's session, everything that descends from it, and orphans that carry the attempt's token, with their descendants
/// and sessions. The leader must not be reaped while this is in use, so that its id cannot be another's.
/// </summary>
internal sealed class ProcessTree(int leader, string token)
{
    private readonly byte[] _token = Encoding.ASCII.GetBytes(token);

    /// <summary>Sends a signal to every process group of the tree.</summary>
    /// <returns>What was found just before the signal.</returns>
    public TreeState Signal(int signal)
    {
        List<ProcessEntry> table = ProcessTable.Read();
        Dictionary<int, byte[]> orphans = LivingOrphans(table);
        List<ProcessEntry> living = Members(table, orphans).FindAll(member => member.IsAlive);

        // A group is signalled as one, so a fork at this moment is not missed. No group of ours holds a stranger: only a session's own processes can be in it.
        foreach (int group in living.Select(member => member.Group).Append(leader).Where(group => group > 1).Distinct())
            _ = LibC.Kill(-group, signal);

        bool isUnclear = ReapOrphans(table) | table.Exists(entry => entry.IsGone) | orphans.Values.Any(environment => environment.Length == 0);
        bool isRead = table.Exists(entry => entry.Pid == Environment.ProcessId && entry.IsAlive);
        return living.Count > 0 || !isRead ? TreeState.Alive : isUnclear ? TreeState.Unclear : TreeState.Gone;
    }

    private List<ProcessEntry> Members(List<ProcessEntry> table, Dictionary<int, byte[]> orphans)
    {
        var pids = new HashSet<int> { leader };
        var sessions = new HashSet<int> { leader };
        pids.UnionWith(orphans.Where(orphan => orphan.Value.AsSpan().IndexOf(_token) >= 0).Select(orphan => orphan.Key));

        var members = new List<ProcessEntry>();
        List<ProcessEntry> rest = table.FindAll(entry => !entry.IsGone);
        List<ProcessEntry> found;
        do
        {
            found = rest.FindAll(IsMember);
            rest.RemoveAll(IsMember);
            members.AddRange(found);
            pids.UnionWith(found.Select(member => member.Pid));
            sessions.UnionWith(found.Select(member => member.Session));
        }
        while (found.Count > 0);

        return members;

        bool IsMember(ProcessEntry entry) => pids.Contains(entry.Pid) || pids.Contains(entry.Parent) || sessions.Contains(entry.Session);
    }

    private static Dictionary<int, byte[]> LivingOrphans(List<ProcessEntry> table) =>
        table.Where(entry => entry.IsAlive && IsOrphan(entry)).ToDictionary(entry => entry.Pid, entry => ProcessTable.Environment(entry.Pid));

    private static bool IsOrphan(ProcessEntry entry) => entry.Parent == Environment.ProcessId && !ChildReaper.Instance.Owns(entry.Pid);

    private static bool ReapOrphans(List<ProcessEntry> table)
    {
        bool found = false;
        foreach (ProcessEntry entry in table)
        {
            if (!entry.IsAlive && IsOrphan(entry))
                found |= ChildReaper.Instance.ReapOrphan(entry.Pid);
        }

        return found;
    }
}
