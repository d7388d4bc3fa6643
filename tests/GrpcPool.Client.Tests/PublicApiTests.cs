using System.Runtime.CompilerServices;
using PublicApiGenerator;

namespace GrpcPool.Client.Tests;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_API_is_the_one_that_is_written_down()
    {
        var options = new ApiGeneratorOptions { IncludeAssemblyAttributes = false, ExcludeAttributes = [typeof(AsyncIteratorStateMachineAttribute).FullName!] };
        string now = typeof(GrpcPoolClient).Assembly.GeneratePublicApi(options);
        string written = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt"));
        Assert.True(written.Trim() == now.Trim(), $"If the change is meant, put this into PublicApi.txt:\n{now}");
    }
}
