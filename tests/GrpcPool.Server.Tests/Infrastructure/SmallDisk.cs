using System.Diagnostics;
using GrpcPool.Server.Tests.Polyglot;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A file system in memory with as much room as a test wants. Needs the right to mount, of root or by sudo.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grpcpool-disk-").FullName;

    private SmallDisk()
    {
    }

    public string this[string name] => Path.Combine(_folder, name);

    public static async Task<SmallDisk> MountAsync(string size)
    {
        var disk = new SmallDisk();
        bool mounted = await RunAsync("mount", "-t", "tmpfs", "-o", $"size={size},mode=777", "none", disk._folder);
        if (!mounted)
            Directory.Delete(disk._folder);
        Tools.Require(mounted, "the right to mount a file system");
        return disk;
    }

    public async Task ResizeAsync(string size) => Assert.True(await RunAsync("mount", "-o", $"remount,size={size}", _folder));

    /// <summary>Leaves no byte free, or only so many.</summary>
    public void Fill(long bytesLeft = 0)
    {
        using FileStream file = File.Create(this["filler"]);
        byte[] block = new byte[4096];
        try
        {
            while (bytesLeft == 0 || new DriveInfo(_folder).AvailableFreeSpace > bytesLeft)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // It is full now.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Assert.True(await RunAsync("umount", "--lazy", _folder));
        Directory.Delete(_folder);
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        string[] command = Environment.IsPrivilegedProcess ? [program, .. arguments] : ["sudo", "-n", program, .. arguments];
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
