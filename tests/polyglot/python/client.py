#!/usr/bin/python3
"""A client of GrpcPool, small enough to be copied and changed.

It is also a program: client.py submit KIND [PAYLOAD] | watch ID | cancel ID, after ./generate.
The server is the one at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration

sys.path.insert(0, str(Path(__file__).parent / "generated"))
from grpcpool.v1 import task_pb2, task_pool_pb2, task_pool_pb2_grpc

FINAL = (task_pb2.TASK_STATE_SUCCEEDED, task_pb2.TASK_STATE_FAILED, task_pb2.TASK_STATE_CANCELLED, task_pb2.TASK_STATE_EXPIRED)

# The channel itself repeats these calls while the server is out of reach: with an id in each task they are harmless to repeat.
REPEATED = [{"service": "grpcpool.v1.TaskPoolService", "method": method} for method in ("Submit", "GetStatus", "Wait", "Cancel")]
REPEAT = {"maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "5s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}
SERVICE_CONFIG = {"methodConfig": [{"name": REPEATED, "retryPolicy": REPEAT}]}


def seconds(number):
    span = Duration()
    span.FromNanoseconds(round(number * 1e9))
    return span


class PoolClient:
    def __init__(self, address="127.0.0.1:50051"):
        self.channel = grpc.insecure_channel(address, options=[("grpc.service_config", json.dumps(SERVICE_CONFIG))])
        self.stub = task_pool_pb2_grpc.TaskPoolServiceStub(self.channel)  # the calls that have no method here

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def submit(self, kind, payload=b"", timeout=30, traceparent=None, **spec):
        """Submits a task; `spec` are further fields of TaskSpec. Its id makes a repeated call harmless: take your own where you have one."""
        trace = [("traceparent", traceparent)] if traceparent else []  # the task goes on with the caller's trace
        spec.setdefault("id", str(uuid.uuid4()))
        request = task_pool_pb2.SubmitRequest(task=task_pb2.TaskSpec(kind=kind, payload=payload, **spec))
        return self.stub.Submit(request, timeout=timeout, metadata=trace).task

    def submit_stream(self, specs, per_message=500):
        """Submits many tasks, without waiting for each answer; yields a result per task, in their order. The sequence is its index."""
        items = [task_pool_pb2.SubmitStreamItem(sequence=i, task=spec) for i, spec in enumerate(specs)]
        requests = (task_pool_pb2.SubmitStreamRequest(items=items[i : i + per_message]) for i in range(0, len(items), per_message))
        for response in self.stub.SubmitStream(requests):
            yield from response.results

    def get(self, id):
        return self.stub.GetStatus(task_pool_pb2.GetStatusRequest(id=id, view=task_pb2.TASK_VIEW_FULL), timeout=30).task

    def wait(self, id, timeout):
        """Waits for the end of a task and returns it with its result. TimeoutError: it has not ended, and goes on."""
        end = time.monotonic() + timeout
        while True:
            step = min(max(end - time.monotonic(), 0), 60)
            request = task_pool_pb2.WaitRequest(id=id, timeout=seconds(step), view=task_pb2.TASK_VIEW_FULL)
            answer = self.stub.Wait(request, timeout=step + 30)
            if answer.finished:
                return answer.task
            if time.monotonic() >= end:
                raise TimeoutError(f"{id} is still {task_pb2.TaskState.Name(answer.task.state)}")

    def watch(self, after_revision=0, **what):
        """Yields what happens to the tasks of `ids` or of a `filter`. When the stream breaks, it goes on where it stood."""
        pause = 0.1
        while True:
            stream = self.stub.Watch(task_pool_pb2.WatchRequest(after_revision=after_revision, **what), wait_for_ready=True)
            try:
                for message in stream:
                    pause = 0.1
                    yield from message.events
                    after_revision = message.revision or after_revision
                return
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.OUT_OF_RANGE and after_revision:
                    after_revision = 0  # too long ago: the tasks come anew, as snapshots
                elif error.code() == grpc.StatusCode.UNAVAILABLE:
                    time.sleep(pause)
                    pause = min(2 * pause, 5)
                else:
                    raise
            finally:
                stream.cancel()

    def cancel(self, id, reason="", force_after=10):
        return self.stub.Cancel(task_pool_pb2.CancelRequest(id=id, reason=reason, force_after=seconds(force_after)), timeout=30).task


def show(task):
    print(task_pb2.TaskState.Name(task.state), f"{task.progress.fraction:.0%}", task.progress.message, flush=True)
    if task.state == task_pb2.TASK_STATE_SUCCEEDED:
        print("result:", task.result.decode(errors="replace"))
    elif task.state in FINAL:
        print("failure:", task.failure.message)


def main(verb, argument, payload=""):
    with PoolClient(os.environ.get("GRPCPOOL_ADDRESS", "127.0.0.1:50051")) as pool:
        if verb == "submit":
            print(pool.submit(argument, payload.encode(), traceparent=os.environ.get("TRACEPARENT")).id)
        elif verb == "watch":
            for event in pool.watch(ids=[argument], view=task_pb2.TASK_VIEW_FULL):
                if event.HasField("task"):
                    show(event.task)
        elif verb == "cancel":
            print(task_pb2.TaskState.Name(pool.cancel(argument, "cancelled from Python").state))


if __name__ == "__main__":
    main(*sys.argv[1:])
