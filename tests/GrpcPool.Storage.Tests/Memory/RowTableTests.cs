using CsCheck;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Memory;

public sealed class RowTableTests
{
    private readonly RowTable _rows = new();

    /// <summary>Ids that differ by the namespace alone have the same hash.</summary>
    [Fact]
    public void Tasks_are_found_by_their_ids_among_those_that_came_and_went() =>
        Gen.Select(Gen.Int[0, 3000], Gen.Bool.Select(static b => b ? "a" : "b"), Gen.Bool).Array[0, 20_000].Sample(
            static steps =>
            {
                (var rows, var model) = (new RowTable(), new Dictionary<TaskId, int>());
                foreach ((int number, string @namespace, bool packed) in steps)
                {
                    var id = new TaskId(@namespace, $"{number}");
                    Assert.Equal(model.GetValueOrDefault(id), rows.Find(id));
                    if (model.Remove(id, out int row))
                        Remove(rows, row);
                    else
                        model.Add(id, row = rows.Add(Ended(id)));
                    if (packed && rows[row].Exists)
                        new PackedTasks(new PackWriter()).Add(ref rows[row], Ended(id));
                }

                Assert.All(model, task => Assert.Equal(task.Key, rows[rows.Find(task.Key)].Task!.Id));
            },
            iter: 20);

    [Fact]
    public void The_row_of_a_task_that_is_gone_is_used_again_when_it_is_neither_listed_nor_told_of()
    {
        int gone = _rows.Add(Ended(Given.Id("gone")));
        Remove(_rows, gone);
        _rows.FreeIfUnknown(gone);
        int second = _rows.Add(Ended(Given.Id("second")));
        _rows[gone].Listed = false;
        _rows.FreeIfUnknown(gone);
        int third = _rows.Add(Ended(Given.Id("third")));
        _rows[gone].Told = false;
        _rows.FreeIfUnknown(gone);

        Assert.Equal([gone, gone + 1, gone + 2, gone], [gone, second, third, _rows.Add(Ended(Given.Id("fourth")))]);
    }

    [Fact]
    public void Tasks_that_come_and_go_need_no_more_rows_than_the_history_tells_of_and_the_order_has_gaps()
    {
        const int changesTold = 500, gapsMax = 1024;
        var order = new RowOrder(_rows);
        var history = new ChangeHistory(_rows, floor: 0, changesTold);
        for (int i = 0; i < 50_000; i++)
        {
            int row = _rows.Add(Ended(Given.Id($"{i}")));
            order.Add(row);
            history.Add((2 * i) + 1, row);
            _rows.Remove(row, Given.Id($"{i}"), (2 * i) + 2);
            order.CountGap();
            history.Add((2 * i) + 2, row);
        }

        Assert.InRange(_rows.Used, 1, changesTold + gapsMax + 1);
        Assert.Equal([Given.Id("49998"), Given.Id("49999")], history.Read(after: 99_996, limit: 10, newest: 100_000).Changes.Select(static change => change.Id));
    }

    private static TaskRecord Ended(TaskId id) =>
        TaskTransitions.Cancel(TaskTransitions.Submit(id, Given.Spec, specHash: null, "", runAt: null, new Stamp(1, Given.Now)), new Cancellation("", "", Given.Now), new Stamp(2, Given.Now));

    private static void Remove(RowTable rows, int row) => rows.Remove(row, rows[row].Task!.Id, revision: 3);
}
