using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;

namespace GrpcPool.Storage.Tests;

public sealed class MemoryTaskStoreTests : TaskStoreConformance
{
    private protected override ITaskStore CreateStore(int historyMax) => new MemoryTaskStore(historyMax);
}
