using CsCheck;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Tests.Handlers;

public sealed class TailBufferTests
{
    private static readonly Gen<(byte[] Bytes, int Missing, bool Take)[]> Writes =
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Frequency((9, Gen.Const(0)), (1, Gen.Int[1, 9])), Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true)))).Array[1, 50];

    [Fact]
    public void The_last_bytes_are_kept_and_those_before_them_counted() => Gen.Select(Writes, Gen.Int[1, 60]).Sample((writes, bytesMax) =>
    {
        var buffer = new TailBuffer(bytesMax);
        var all = new List<byte>();
        int lost = 0;
        foreach ((byte[] bytes, int missing, bool take) in writes)
        {
            buffer.Append(bytes, missing);
            all.AddRange(new byte[missing]);
            lost = missing > 0 ? all.Count : lost;
            all.AddRange(bytes);
            lost = Math.Max(lost, all.Count - bytesMax);
            Assert.Equal(all.Skip(lost), buffer.ToArray());
            if (!take)
                continue;
            (byte[] taken, long skipped) = buffer.Take();
            Assert.Equal((all.Count - lost, lost), (taken.Length, skipped));
            (lost, all) = (0, []);
        }
    });
}
