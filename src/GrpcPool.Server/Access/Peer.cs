using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace GrpcPool.Server.Access;

/// <summary>Who has connected to the Unix socket, as the kernel knows it (unix(7), SO_PEERCRED and SO_PEERGROUPS): nobody can say he is another.</summary>
/// <param name="Uid">The number of the user.</param>
/// <param name="Groups">The numbers of its groups.</param>
internal sealed record Peer(int Uid, IReadOnlyList<int> Groups)
{
    private const int SocketLevel = 1, PeerCredentials = 17, PeerGroups = 59;

    private const int CredentialsBytes = 12;

    /// <summary>As many groups as Linux lets a process have.</summary>
    private const int GroupsMax = 65_536;

    /// <summary>Null where the system does not tell.</summary>
    public static Peer? Of(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            // pid, uid, gid, as numbers of 32 bits.
            Span<byte> credentials = stackalloc byte[CredentialsBytes];
            if (socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) != CredentialsBytes)
                return null;
            ReadOnlySpan<int> ids = MemoryMarshal.Cast<byte, int>(credentials);
            byte[] groups = ArrayPool<byte>.Shared.Rent(sizeof(int) * GroupsMax);
            int length = socket.GetRawSocketOption(SocketLevel, PeerGroups, groups);
            var peer = new Peer(ids[1], [ids[2], .. MemoryMarshal.Cast<byte, int>(groups.AsSpan(0, length))]);
            ArrayPool<byte>.Shared.Return(groups);
            return peer;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}

/// <summary>The users and groups who need no token.</summary>
internal sealed class PeerBook
{
    private readonly (PeerOptions Options, Grant Grant)[] _peers;

    /// <summary>Whoever is named by more counts first.</summary>
    public PeerBook(AccessOptions access, TimeProvider time) => _peers =
    [
        .. access.Peers
            .OrderBy(static peer => peer.Value.Uid is null).ThenBy(static peer => peer.Value.Gid is null).ThenBy(static peer => peer.Key, StringComparer.Ordinal)
            .Select(peer => (peer.Value, Grant.Of(peer.Key, peer.Value, time))),
    ];

    /// <summary>What somebody may do without a token; null for nothing.</summary>
    public Grant? Find(Peer? peer) => peer is null ? null : Array.Find(_peers, known => Is(known.Options, peer)).Grant;

    private static bool Is(PeerOptions options, Peer peer) => (options.Uid is not { } uid || uid == peer.Uid) && (options.Gid is not { } gid || peer.Groups.Contains(gid));
}
