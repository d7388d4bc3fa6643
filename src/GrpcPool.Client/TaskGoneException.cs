namespace GrpcPool.Client;

/// <summary>The server does not know a task, or no longer: it was deleted, its retention ended, or the server restarted without durable storage.</summary>
/// <param name="id">The task's id.</param>
/// <param name="cause">The server's answer, if there was one.</param>
public sealed class TaskGoneException(string id, Exception? cause = null)
    : Exception($"The server no longer knows task {id}: it was deleted, its retention ended, or the server restarted without durable storage.", cause)
{
    /// <summary>The task's id.</summary>
    public string Id { get; } = id;
}
