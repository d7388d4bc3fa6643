#!/usr/bin/python3
"""A worker of GrpcPool, small enough to be copied and changed: it executes tasks of the kinds `python.reverse` and `python.count`.

Run it against the server at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set): ./generate && ./worker.py
A server that supervises it gives it that address, its name as GRPCPOOL_WORKER_NAME and, if it asks for one, a token as GRPCPOOL_TOKEN.
On SIGTERM it takes no more tasks, finishes those that it has, and ends.
"""

import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).parent / "generated"))
from grpcpool.v1.task_pb2 import FAILURE_CODE_INVALID_PAYLOAD, Failure, Progress
from grpcpool.v1.worker_pb2 import ConnectRequest, Credit, Draining, Hello, Released, Report, Reports, Succeeded, WorkerHeartbeat
from grpcpool.v1.worker_pb2_grpc import WorkerServiceStub

# A dead connection is noticed within 20 s, and one that is lost is tried again at once.
CHANNEL = [("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_timeout_ms", 10_000), ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 5_000)]
PERMANENT = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED)


class Attempt:
    """One attempt at a task, as its handler sees it."""

    def __init__(self, worker, assignment):
        self.lease, self.task, self.stopped = assignment.lease, assignment.task, threading.Event()
        self._worker = worker

    def progress(self, fraction, message=""):
        self._worker.report(self, progress=Progress(fraction=fraction, message=message))

    def log(self, data):
        self._worker.report(self, log=data)


class Worker:
    """`handlers`: for each kind a function that takes an Attempt and returns the result as bytes. It must end when `stopped` is set."""

    def __init__(self, handlers, slots=4):
        self.handlers, self.slots = handlers, slots
        self.lock = threading.Lock()
        self.stream = None  # what goes to the pool; None while there is no connection
        self.held = {}  # the attempts by the tokens of their leases, but for those whose ending is reported
        self.running = 0  # handlers that have not returned
        self.unaccepted = []  # the reports to send again after a resume
        self.worker_id, self.sequence, self.received, self.interval = "", 0, 0, 5
        self.draining = False

    def run(self, address):
        threading.Thread(target=self._beat, daemon=True).start()
        with grpc.insecure_channel(address.removeprefix("http://"), options=CHANNEL) as channel, ThreadPoolExecutor(self.slots) as self.threads:
            stub, self.pause = WorkerServiceStub(channel), 0.1
            while not self._is_done():
                try:
                    self._serve(stub)
                except grpc.RpcError as error:
                    if error.code() in PERMANENT:
                        raise
                    time.sleep(self.pause)
                    self.pause = min(2 * self.pause, 5)

    def drain(self):
        """Takes no more; `run` returns when the rest is done."""
        with self.lock:
            self._drain()

    def report(self, attempt, ending=False, **what):
        with self.lock:
            if attempt.lease.token not in self.held or ("progress" in what and not self.stream):
                return  # the lease is lost; or the progress will be old when there is a connection again
            if ending:
                del self.held[attempt.lease.token]
            self.sequence += 1
            self.unaccepted.append(Reports(sequence=self.sequence, items=[Report(lease=attempt.lease, **what)]))
            self._send(reports=self.unaccepted[-1])

    def _serve(self, stub):
        stream = queue.SimpleQueue()
        name = os.environ.get("GRPCPOOL_WORKER_NAME", f"{socket.gethostname()}-{os.getpid()}")
        hello = Hello(worker_name=name, kinds=self.handlers, slots=self.slots, resume_worker_id=self.worker_id)
        stream.put(ConnectRequest(hello=hello))
        try:
            token = os.environ.get("GRPCPOOL_TOKEN")
            metadata = [("authorization", f"Bearer {token}")] if token else None
            for response in stub.Connect(iter(stream.get, None), metadata=metadata, wait_for_ready=True):
                with self.lock:
                    self._take(response, stream)
                    self._close_if_done()
        finally:
            with self.lock:
                self.stream = None
            stream.put(None)

    def _take(self, response, stream):
        said = response.WhichOneof("message")
        message = getattr(response, said) if said else None
        if said == "welcome":
            self._begin(message, stream)
        elif said == "assignments" and message.sequence > self.received:
            self.received = message.sequence
            for assignment in message.items:
                attempt = self.held[assignment.lease.token] = Attempt(self, assignment)
                self.running += 1
                self.threads.submit(self._execute, attempt)
        elif said == "accepted":
            self.unaccepted = [reports for reports in self.unaccepted if reports.sequence > message.sequence]
        elif said == "cancel" and message.lease.token in self.held:
            self.held[message.lease.token].stopped.set()
        elif said == "lease_lost" and message.lease.token in self.held:
            self.held.pop(message.lease.token).stopped.set()
        elif said == "drain":
            self._drain()

    def _begin(self, welcome, stream):
        if welcome.worker_id != self.worker_id:  # new to this pool, also when the pool has restarted: all sequences begin anew
            self.worker_id, self.received, self.sequence = welcome.worker_id, 0, len(self.unaccepted)
            for sequence, reports in enumerate(self.unaccepted, 1):
                reports.sequence = sequence
        self.stream, self.interval, self.pause = stream, welcome.heartbeat_interval.ToNanoseconds() / 1e9, 0.1
        for reports in self.unaccepted:
            self._send(reports=reports)
        self._heartbeat()
        if self.draining:
            self._send(draining=Draining())
        elif self.running < self.slots:
            self._send(credit=Credit(slots=self.slots - self.running))

    def _execute(self, attempt):
        if self.draining:  # assigned before the pool heard of it
            self.report(attempt, ending=True, released=Released())
        else:
            self._handle(attempt)
        with self.lock:
            self.running -= 1
            if not self.draining:
                self._send(credit=Credit(slots=1))

    def _handle(self, attempt):
        try:
            result = self.handlers[attempt.task.kind](attempt)
            self.report(attempt, ending=True, succeeded=Succeeded(result=result, content_type="text/plain"))
        except ValueError as error:
            self.report(attempt, ending=True, failed=Failure(code=FAILURE_CODE_INVALID_PAYLOAD, message=str(error)))
        except Exception as error:
            self.report(attempt, ending=True, failed=Failure(message=str(error), detail=traceback.format_exc(), retryable=True))

    def _beat(self):
        while True:
            time.sleep(self.interval)
            with self.lock:
                self._heartbeat()

    def _heartbeat(self):
        self._send(heartbeat=WorkerHeartbeat(received_sequence=self.received, tokens=self.held))

    def _send(self, **message):
        if self.stream:
            self.stream.put(ConnectRequest(**message))

    def _drain(self):
        self.draining = True
        self._send(draining=Draining())
        self._close_if_done()

    def _close_if_done(self):
        if self.stream and self._is_done():
            self.stream.put(None)

    def _is_done(self):
        return self.draining and not self.held and not self.unaccepted


def reverse(attempt):
    return attempt.task.payload[::-1]


def count(attempt):
    """Counts to the number in the payload, ten a second."""
    steps = int(attempt.task.payload)
    for step in range(1, steps + 1):
        if attempt.stopped.wait(0.1):
            raise RuntimeError(f"stopped at {step}")
        attempt.progress(step / steps, f"{step} of {steps}")
        attempt.log(b"%d\n" % step)
    return b"%d" % steps


def main():
    worker = Worker({"python.reverse": reverse, "python.count": count})
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=worker.drain).start())
    worker.run(os.environ.get("GRPCPOOL_ADDRESS", "127.0.0.1:50051"))


if __name__ == "__main__":
    main()
