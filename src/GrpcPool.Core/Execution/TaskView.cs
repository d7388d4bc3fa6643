using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>A task as it is seen from outside, with what is found out only when asked.</summary>
internal readonly record struct TaskView(TaskRecord Task, WaitingReason? WaitingReason = null, int? QueuePosition = null);
