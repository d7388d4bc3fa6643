#!/usr/bin/python3
"""What a Python client must be able to rely on, against the server at GRPCPOOL_ADDRESS.

The server needs the built-in kinds, and a queue `small` of a small capacity that rejects when it is full. Each scenario prints one line,
`ok <name>` or `not ok <name>: why`; the exit code is 1 when one failed. Tasks of other clients do not disturb, but for those in `small`.
"""

import os
import signal
import sys
import time
import traceback
import uuid

import grpc

from client import FINAL, PoolClient, seconds
from error_details_pb2 import ErrorInfo, RetryInfo, Status
from grpcpool.v1.task_pb2 import (
    FAILURE_CODE_HANDLER_ERROR,
    TASK_STATE_CANCELLED,
    TASK_STATE_FAILED,
    TASK_STATE_QUEUED,
    TASK_STATE_RETRYING,
    TASK_STATE_RUNNING,
    TASK_STATE_SCHEDULED,
    TASK_STATE_SUCCEEDED,
    TASK_VIEW_FULL,
    RetryPolicy,
    TaskFilter,
    TaskSpec,
)
from grpcpool.v1.task_pool_pb2 import (
    WATCH_EVENT_TYPE_CHANGED,
    WATCH_EVENT_TYPE_PROGRESS,
    WATCH_EVENT_TYPE_SNAPSHOT,
    WATCH_EVENT_TYPE_SYNCED,
    CancelMatchingRequest,
    CancelRequest,
    CountRequest,
    DeleteRequest,
    GetStatusRequest,
    RetryRequest,
    SubmitAndWatchRequest,
    SubmitRequest,
    WaitRequest,
    WatchRequest,
)

CALL = 30  # the deadline of one call, in seconds
SCENARIO = 60  # the limit of one scenario, in seconds
RUN = uuid.uuid4().hex  # tells the tasks of this run from all others
MINE = {"run": RUN}
HOUR_LONG = b'{"seconds": 3600}'


def submit_and_watch(pool):
    task = TaskSpec(id=new_id(), kind="sleep", payload=b'{"seconds": 0.3, "steps": 3}', labels=MINE)
    messages = list(pool.stub.SubmitAndWatch(SubmitAndWatchRequest(task=task), timeout=CALL))
    events = events_of(messages)
    check(messages[0].created and not any(message.created for message in messages[1:]), "only the first message says created")
    check(events[0].type == WATCH_EVENT_TYPE_SNAPSHOT and events[0].task.version == 1, f"the first event is the task as accepted: {events[0]}")
    tasks = tasks_of(events)
    check(all(task.id == tasks[0].id for task in tasks), "all events are of this task")
    check_rising([task.version for task in tasks])
    check(tasks[-1].state == TASK_STATE_SUCCEEDED, f"the last event is the end: {tasks[-1]}")
    check(any(event.type == WATCH_EVENT_TYPE_PROGRESS and event.task.progress.fraction < 1 for event in events), "there is progress on the way")

    late = events_of(pool.stub.Watch(WatchRequest(ids=[task.id]), timeout=CALL))
    check([event.type for event in late] == [WATCH_EVENT_TYPE_SNAPSHOT, WATCH_EVENT_TYPE_SYNCED], f"a late watch has the end, and ends: {late}")
    check(late[0].task.version == tasks[-1].version, "a late watch has the same version")


def idempotent_id(pool):
    spec = TaskSpec(id=new_id(), kind="echo", payload=b"once", labels={**MINE, "b": "2", "a": "1"}, headers={"try": "1"})
    first = pool.stub.Submit(SubmitRequest(task=spec), timeout=CALL)
    check(first.created and first.task.id == spec.id, f"the first call makes the task: {first}")
    spec.headers["try"] = "2"  # headers do not count
    again = pool.stub.Submit(SubmitRequest(task=spec), timeout=CALL)
    check(not again.created and again.task.submitted_at == first.task.submitted_at, f"the second call answers the same task: {again}")
    watched = list(pool.stub.SubmitAndWatch(SubmitAndWatchRequest(task=spec, view=TASK_VIEW_FULL), timeout=CALL))
    check(not watched[0].created, "watching it makes no other")
    ended = tasks_of(events_of(watched))[-1]
    check(ended.result == b"once" and ended.attempt == 1, f"it ran once: {ended}")
    check(ended.headers["try"] == "1", "the headers are those of the first call")


def conflict(pool):
    id = pool.submit("echo", b"one", id=new_id(), labels=MINE).id
    error = refused(lambda: pool.submit("echo", b"other", id=id, labels=MINE))
    check(error.code() == grpc.StatusCode.ALREADY_EXISTS, f"another spec is refused: {error}")
    check(detail(error, ErrorInfo).reason == "ID_CONFLICT" and id in error.details(), f"the error says why: {error}")
    (result,) = pool.submit_stream([TaskSpec(id=id, kind="fail", labels=MINE)])
    check(result.error.code == 6 and result.error.reason == "ID_CONFLICT", f"also within a stream: {result}")
    check(pool.wait(id, CALL).result == b"one", "the first task is as it was")


def not_found(pool):
    stub, id = pool.stub, new_id()
    calls = [
        lambda: stub.GetStatus(GetStatusRequest(id=id), timeout=CALL),
        lambda: stub.Wait(WaitRequest(id=id), timeout=CALL),
        lambda: list(stub.Watch(WatchRequest(ids=[id]), timeout=CALL)),
        lambda: stub.Cancel(CancelRequest(id=id), timeout=CALL),
        lambda: stub.Retry(RetryRequest(id=id), timeout=CALL),
        lambda: stub.Delete(DeleteRequest(id=id), timeout=CALL),
    ]
    for call in calls:
        error = refused(call)
        check(error.code() == grpc.StatusCode.NOT_FOUND and detail(error, ErrorInfo).reason == "TASK_NOT_FOUND", f"an unknown id is not found: {error}")
    error = refused(lambda: pool.submit("no-such-kind", labels=MINE))
    check(error.code() == grpc.StatusCode.NOT_FOUND and "echo" in error.details(), f"an unknown kind is not found, and the known ones are named: {error}")

    forgotten = pool.submit("echo", labels=MINE).id
    pool.wait(forgotten, CALL)
    stub.Delete(DeleteRequest(id=forgotten), timeout=CALL)
    check(refused(lambda: pool.get(forgotten)).code() == grpc.StatusCode.NOT_FOUND, "a deleted task is not found")


def queue_full(pool):
    everything = CancelMatchingRequest(filter=TaskFilter(queues=["small"]))
    later = {"kind": "echo", "queue": "small", "delay": seconds(3600), "labels": MINE}
    pool.stub.CancelMatching(everything, timeout=CALL)
    try:
        accepted, error = [], None
        while error is None:
            check(len(accepted) < 1000, "a queue of a small capacity becomes full")
            spec = TaskSpec(id=new_id(), **later)
            try:
                accepted.append(pool.stub.Submit(SubmitRequest(task=spec), timeout=CALL).task)
            except grpc.RpcError as full:
                error = full
        check(error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, f"a full queue refuses: {error}")
        info, retry = detail(error, ErrorInfo), detail(error, RetryInfo)
        check(info.reason == "QUEUE_FULL" and dict(info.metadata) == {"queue": "small", "capacity": str(len(accepted))}, f"the error says what is full: {info}")
        check(retry.retry_delay.ToNanoseconds() > 0, f"the error says when to try again: {retry}")

        known = pool.stub.Submit(SubmitRequest(task=TaskSpec(id=accepted[0].id, **later)), timeout=CALL)
        check(not known.created and known.task.state == TASK_STATE_SCHEDULED, f"a known id is answered also while the queue is full: {known}")
        check(pool.cancel(accepted[0].id).state == TASK_STATE_CANCELLED, "a waiting task is cancelled at once")
        check(pool.stub.Submit(SubmitRequest(task=spec), timeout=CALL).created, "there is room again")
    finally:
        pool.stub.CancelMatching(everything, timeout=CALL)


def cancel_running(pool):
    id = pool.submit("sleep", HOUR_LONG, labels=MINE).id
    until_running(pool, id)
    answer = pool.cancel(id, "no longer needed")
    check(answer.cancellation.reason == "no longer needed" and answer.cancellation.HasField("at"), f"the answer shows the cancellation: {answer}")
    ended = pool.wait(id, CALL)
    check(ended.state == TASK_STATE_CANCELLED and ended.cancellation.reason == "no longer needed", f"it ends cancelled: {ended}")
    again = pool.cancel(id, "twice")
    check(again.version == ended.version and again.cancellation.reason == "no longer needed", f"a finished task is answered as it is: {again}")


def wait_timeout(pool):
    id = pool.submit("sleep", HOUR_LONG, labels=MINE).id
    begin = time.monotonic()
    answer = pool.stub.Wait(WaitRequest(id=id, timeout=seconds(0.3)), timeout=CALL)
    check(not answer.finished and answer.task.state in (TASK_STATE_QUEUED, TASK_STATE_RUNNING), f"it has not ended: {answer}")
    took = time.monotonic() - begin
    check(0.28 < took < CALL, f"the answer comes when the time has passed, not after {took} s")  # the server's timers are exact to some ms
    check(not pool.stub.Wait(WaitRequest(id=id, timeout=seconds(0)), timeout=CALL).finished, "no time is a question")
    try:
        pool.wait(id, 0.1)
        check(False, "the client's wait times out")
    except TimeoutError:
        pass
    pool.cancel(id)
    check(pool.stub.Wait(WaitRequest(id=id), timeout=CALL).finished, "it ends, and a wait without a timeout says so")


def retries(pool):
    policy = RetryPolicy(max_attempts=3, initial_backoff=seconds(0.05), jitter=0)
    id = pool.submit("fail", b'{"times": 2, "message": "not yet"}', retry=policy, labels=MINE).id
    task = pool.wait(id, CALL)
    check(task.state == TASK_STATE_SUCCEEDED and task.attempt == 3 and not task.HasField("failure"), f"the third attempt succeeds: {task}")
    check([attempt.number for attempt in task.attempts] == [1, 2, 3], f"the history has every attempt: {task}")
    check([attempt.failure.message for attempt in task.attempts] == ["not yet", "not yet", ""], f"two attempts failed: {task}")
    pauses = [after.started_at.ToNanoseconds() - before.finished_at.ToNanoseconds() for before, after in zip(task.attempts, task.attempts[1:])]
    check(50e6 <= pauses[0] < 3e9 and 100e6 <= pauses[1] < 3e9, f"the pauses grow, and are no longer than asked: {pauses}")

    final = TaskSpec(id=new_id(), kind="fail", payload=b'{"message": "never", "retryable": false}', retry=policy, labels=MINE)
    ended = tasks_of(events_of(pool.stub.SubmitAndWatch(SubmitAndWatchRequest(task=final), timeout=CALL)))[-1]
    check(ended.state == TASK_STATE_FAILED and ended.attempt == 1, f"a final failure is not tried again: {ended}")
    check(ended.failure.code == FAILURE_CODE_HANDLER_ERROR and ended.failure.message == "never", f"the failure says why: {ended}")
    anew = pool.stub.Retry(RetryRequest(id=final.id), timeout=CALL).task
    check(anew.version == ended.version + 1 and anew.state not in (TASK_STATE_FAILED, TASK_STATE_RETRYING), f"Retry runs it again: {anew}")
    check(pool.wait(final.id, CALL).state == TASK_STATE_FAILED, "it fails again")


def resume_watch(pool):
    label = {"watched": RUN}
    mine = TaskFilter(labels=label)
    ids = [new_id() for _ in range(40)]
    submit = lambda part: list(pool.submit_stream([TaskSpec(id=id, kind="echo", labels=label) for id in part]))
    submit(ids[:10])
    seen = {}  # the newest version of each task that was seen
    ended = set()

    stream = pool.stub.Watch(WatchRequest(filter=mine), timeout=CALL)
    revision = 0
    for message in stream:
        note(message.events, seen, ended)
        revision = message.revision or revision
        if revision and len(seen) == 10:
            break
    stream.cancel()

    submit(ids[10:20])
    pool.wait(ids[19], CALL)
    stream = pool.stub.Watch(WatchRequest(filter=mine, after_revision=revision), timeout=CALL)
    submit(ids[20:])
    for message in stream:
        check(all(event.type in (WATCH_EVENT_TYPE_CHANGED, WATCH_EVENT_TYPE_SYNCED) for event in message.events), f"a resumed watch has no snapshot: {message}")
        check(message.revision == 0 or message.revision >= revision, "the revision does not go back")
        revision = message.revision or revision
        note(message.events, seen, ended)
        if ended == set(ids):
            break
    stream.cancel()

    future = WatchRequest(filter=mine, after_revision=revision + 10**15)
    error = refused(lambda: list(pool.stub.Watch(future, timeout=CALL)))
    check(error.code() == grpc.StatusCode.OUT_OF_RANGE, f"a revision of the future is out of range: {error}")
    anew = pool.watch(after_revision=revision + 10**15, filter=mine)
    check(next(anew).type == WATCH_EVENT_TYPE_SNAPSHOT, "the client then starts anew")
    anew.close()


def submit_stream(pool):
    label = {"bulk": RUN}
    specs = [TaskSpec(id=f"{RUN}-bulk-{i}", kind="echo", payload=str(i).encode(), queue="bulk", labels=label) for i in range(10_000)]
    results = list(pool.submit_stream(specs))
    check([result.sequence for result in results] == list(range(len(specs))), "there is a result for each task, in order")
    wrong = [result for result in results if not result.created or result.id != specs[result.sequence].id]
    check(not wrong, f"each task is accepted: {wrong[:1]}")

    waiting = {spec.id for spec in specs}
    for event in pool.watch(filter=TaskFilter(labels=label)):
        if event.task.state in FINAL:
            check(event.task.state == TASK_STATE_SUCCEEDED, f"each task succeeds: {event.task}")
            waiting.discard(event.task.id)
        if not waiting:
            break
    count = pool.stub.Count(CountRequest(filter=TaskFilter(labels=label, states=[TASK_STATE_SUCCEEDED])), timeout=CALL)
    check(count.total == len(specs) and count.exact, f"all are counted: {count}")
    check(not any(result.created for result in pool.submit_stream(specs)), "a repeated stream makes no task")


def new_id():
    return f"{RUN}-{uuid.uuid4().hex[:12]}"


def check(holds, expected):
    if not holds:
        raise AssertionError(expected)


def check_rising(versions):
    check(versions == sorted(versions) and versions[0] >= 1, f"versions do not go back: {versions}")


def events_of(messages):
    return [event for message in messages for event in message.events]


def tasks_of(events):
    return [event.task for event in events if event.HasField("task")]


def note(events, seen, ended):
    """Takes in what a watch says. The version of a snapshot may come once more, but none goes back."""
    for task in tasks_of(events):
        check(task.version >= seen.get(task.id, 0), f"versions do not go back: {task}")
        seen[task.id] = task.version
        if task.state in FINAL:
            ended.add(task.id)


def until_running(pool, id):
    watch = pool.watch(ids=[id])
    check(any(event.task.state == TASK_STATE_RUNNING for event in watch), "the task starts")
    watch.close()


def refused(call):
    try:
        answer = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"expected an error, but it was answered: {answer}")


def detail(error, type):
    """The part of this type of the error's details; an empty one where there is none."""
    part = type()
    trailers = dict(error.trailing_metadata())
    for packed in Status.FromString(trailers.get("grpc-status-details-bin", b"")).details:
        packed.Unpack(part)
    return part


def too_slow(*_):
    raise TimeoutError(f"it took longer than {SCENARIO} s")


def main():
    scenarios = [submit_and_watch, idempotent_id, conflict, not_found, queue_full, cancel_running, wait_timeout, retries, resume_watch, submit_stream]
    signal.signal(signal.SIGALRM, too_slow)
    failed = False
    with PoolClient(os.environ.get("GRPCPOOL_ADDRESS", "127.0.0.1:50051")) as pool:
        for scenario in scenarios:
            name = scenario.__name__.replace("_", " ")
            signal.alarm(SCENARIO)
            try:
                scenario(pool)
                print("ok", name, flush=True)
            except Exception as error:
                failed = True
                print(f"not ok {name}: {type(error).__name__}: {error}", flush=True)
                traceback.print_exc()
            signal.alarm(0)
        unfinished = TaskFilter(labels=MINE)
        pool.stub.CancelMatching(CancelMatchingRequest(filter=unfinished), timeout=CALL)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
