using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Administration;

/// <summary>Changed settings on their way into a commit; they are in force with it, before anything else starts or comes in.</summary>
/// <param name="changes">What is changed.</param>
/// <param name="apply">Puts it in force. Called on the committer's loop.</param>
internal sealed class SettingsRequest(IReadOnlyList<SettingChange> changes, Action apply) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), ICommandRequest
{
    public TaskCommand? Command { get; } = new ChangeSettings(changes);

    public SlotLease? Released => null;

    public void Committed(CommandOutcome outcome)
    {
        apply();
        TrySetResult();
    }

    public void Failed(Exception fault) => TrySetException(fault);
}
