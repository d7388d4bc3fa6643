using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Storage;
using GrpcPool.Server.Services;

namespace GrpcPool.Server.Tests.Services;

public sealed class StorageFaultTests
{
    [Theory]
    [InlineData(StorageFault.Full, StatusCode.ResourceExhausted, "STORAGE_FULL", true)]
    [InlineData(StorageFault.InputOutput, StatusCode.Unavailable, "STORAGE_FAILED", true)]
    [InlineData(StorageFault.NotAccessible, StatusCode.Unavailable, "STORAGE_FAILED", true)]
    [InlineData(StorageFault.Busy, StatusCode.Unavailable, "STORAGE_FAILED", true)]
    [InlineData(StorageFault.Corrupt, StatusCode.Internal, "STORAGE_DAMAGED", false)]
    [InlineData(StorageFault.Exists, StatusCode.AlreadyExists, "FILE_EXISTS", false)]
    [InlineData(StorageFault.Unsupported, StatusCode.FailedPrecondition, "STORAGE_UNSUPPORTED", false)]
    [InlineData(StorageFault.WrongPlace, StatusCode.FailedPrecondition, "STORAGE_UNSUPPORTED", false)]
    [InlineData(StorageFault.Other, StatusCode.Internal, "STORAGE_FAULT", false)]
    internal void A_fault_of_the_store_has_its_status(StorageFault fault, StatusCode code, string reason, bool retry)
    {
        Google.Rpc.Status status = ErrorTable.ToStatus(new PoolError.Storage(fault, "why"));
        Assert.Equal(((int)code, reason), (status.Code, status.GetDetail<ErrorInfo>()?.Reason));
        Assert.Equal(retry, status.GetDetail<RetryInfo>() is not null);
    }
}
