using System.ComponentModel;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>Starts a program in a session of its own, with every signal as the system has it by default.</summary>
internal static class Spawner
{
    /// <exception cref="Win32Exception">It could not be started.</exception>
    public static int Spawn(CommandLine command, int input, int output, int errors)
    {
        var actions = default(LibC.Opaque);
        var attributes = default(LibC.Opaque);
        LibC.Check(LibC.InitActions(ref actions));
        LibC.Check(LibC.InitAttributes(ref attributes));
        try
        {
            Connect(ref actions, input, output, errors);
            LibC.Check(LibC.AddDirectory(ref actions, command.WorkingDirectory));
            Isolate(ref attributes);
            string?[] arguments = [command.Program, .. command.Arguments, null];
            string?[] environment = [.. command.Environment, null];
            LibC.Check(LibC.Spawn(out int pid, command.Program, ref actions, ref attributes, arguments, environment));
            return pid;
        }
        finally
        {
            _ = LibC.DestroyAttributes(ref attributes);
            _ = LibC.DestroyActions(ref actions);
        }
    }

    private static void Connect(ref LibC.Opaque actions, int input, int output, int errors)
    {
        LibC.Check(LibC.AddDuplicate(ref actions, input, 0));
        LibC.Check(LibC.AddDuplicate(ref actions, output, 1));
        LibC.Check(LibC.AddDuplicate(ref actions, errors, 2));
    }

    private static void Isolate(ref LibC.Opaque attributes)
    {
        var none = default(LibC.Opaque);
        var all = default(LibC.Opaque);
        _ = LibC.ClearSignals(ref none);
        _ = LibC.FillSignals(ref all);
        LibC.Check(LibC.SetSignalMask(ref attributes, ref none));
        LibC.Check(LibC.SetDefaultSignals(ref attributes, ref all));
        LibC.Check(LibC.SetFlags(ref attributes, LibC.SpawnNewSession | LibC.SpawnSignalMask | LibC.SpawnDefaultSignals));
    }
}
