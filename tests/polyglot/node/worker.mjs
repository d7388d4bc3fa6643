#!/usr/bin/env node
// A worker of GrpcPool, small enough to be copied and changed: it executes tasks of the kinds node.reverse and node.count.
//
// Run it against the server at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set): npm ci && ./worker.mjs
// A server that supervises it gives it that address, its name as GRPCPOOL_WORKER_NAME and, if it asks for one, a token as GRPCPOOL_TOKEN.
// On SIGTERM it takes no more tasks, finishes those that it has, and ends.

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTOS = fileURLToPath(new URL("../../../protos", import.meta.url));
const FORM = { includeDirs: [PROTOS], keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true };
const { WorkerService } = grpc.loadPackageDefinition(loadSync("grpcpool/v1/worker.proto", FORM)).grpcpool.v1;

// A dead connection is noticed within 20 s, and one that is lost is tried again at once.
const CHANNEL = { "grpc.keepalive_time_ms": 10_000, "grpc.keepalive_timeout_ms": 10_000, "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 5_000 };
const { INVALID_ARGUMENT, FAILED_PRECONDITION, UNAUTHENTICATED, UNIMPLEMENTED } = grpc.status;
const PERMANENT = [INVALID_ARGUMENT, FAILED_PRECONDITION, UNAUTHENTICATED, UNIMPLEMENTED];

/** What a handler throws for a payload that no further attempt can help. */
export class InvalidPayloadError extends Error {}

/** One attempt at a task, as its handler sees it; `signal` is aborted when it is to stop. */
class Attempt {
    #worker;
    #stop = new AbortController();

    constructor(worker, { lease, task }) {
        Object.assign(this, { lease, task, token: lease.token.toString("hex"), signal: this.#stop.signal });
        this.#worker = worker;
    }

    progress(fraction, message = "") {
        this.#worker.report(this, { progress: { fraction, message } });
    }

    log(text) {
        this.#worker.report(this, { log: Buffer.from(text) });
    }

    stop() {
        this.#stop.abort();
    }
}

/** `handlers`: for each kind an async function that takes an Attempt and returns the result as a Buffer. */
export class Worker {
    stream = null; // null while there is no connection
    held = new Map(); // the attempts by the tokens of their leases, but for those whose ending is reported
    running = 0; // handlers that have not returned
    unaccepted = []; // the reports to send again after a resume
    id = "";
    sequence = 0; // of the last reports
    received = 0; // the sequence of the last assignments
    draining = false;
    pause = 100;

    constructor(handlers, slots = 4) {
        Object.assign(this, { handlers, slots });
    }

    /** Works until it is drained, or the pool refuses it for good. */
    async run(address = "127.0.0.1:50051") {
        const stub = new WorkerService(address.replace(/^http:\/\//, ""), grpc.credentials.createInsecure(), CHANNEL);
        while (!this.isDone()) {
            try {
                await this.serve(stub);
            } catch (error) {
                if (PERMANENT.includes(error.code)) throw error;
                await sleep(this.pause);
                this.pause = Math.min(2 * this.pause, 5000);
            }
        }
        stub.close();
    }

    /** Takes no more; `run` returns when the rest is done. */
    drain() {
        this.draining = true;
        this.send({ draining: {} });
        this.closeIfDone();
    }

    async serve(stub) {
        const metadata = new grpc.Metadata({ waitForReady: true });
        if (process.env.GRPCPOOL_TOKEN)
            metadata.set("authorization", `Bearer ${process.env.GRPCPOOL_TOKEN}`);
        const stream = stub.connect(metadata);
        const name = process.env.GRPCPOOL_WORKER_NAME ?? `${hostname()}-${process.pid}`;
        stream.write({ hello: { worker_name: name, kinds: Object.keys(this.handlers), slots: this.slots, resume_worker_id: this.id } });
        try {
            for await (const response of stream) {
                this.take(response, stream);
                this.closeIfDone();
            }
        } finally {
            this.stream = null;
            clearInterval(this.beating);
            stream.on("error", () => {}).cancel();
        }
    }

    take({ message, [message]: body }, stream) {
        const attempt = body.lease && this.held.get(body.lease.token.toString("hex"));
        if (message === "welcome") {
            this.begin(body, stream);
        } else if (message === "assignments" && body.sequence > this.received) {
            this.received = body.sequence;
            for (const item of body.items) this.execute(new Attempt(this, item));
        } else if (message === "accepted") {
            this.unaccepted = this.unaccepted.filter(({ sequence }) => sequence > body.sequence);
        } else if (message === "cancel") {
            attempt?.stop();
        } else if (message === "lease_lost") {
            this.held.delete(attempt?.token);
            attempt?.stop();
        } else if (message === "drain") {
            this.drain();
        }
    }

    begin({ worker_id, heartbeat_interval: { seconds, nanos } }, stream) {
        if (worker_id !== this.id) {
            // New to this pool, also when the pool has restarted: all sequences begin anew.
            this.id = worker_id;
            this.received = this.sequence = 0;
            for (const reports of this.unaccepted) reports.sequence = ++this.sequence;
        }
        this.stream = stream;
        this.pause = 100;
        this.beating = setInterval(() => this.heartbeat(), 1000 * seconds + nanos / 1e6);
        for (const reports of this.unaccepted) this.send({ reports });
        this.heartbeat();
        if (this.draining) this.drain();
        else if (this.running < this.slots) this.send({ credit: { slots: this.slots - this.running } });
    }

    async execute(attempt) {
        this.held.set(attempt.token, attempt);
        this.running++;
        this.report(attempt, await this.handle(attempt), true);
        this.running--;
        if (!this.draining) this.send({ credit: { slots: 1 } });
    }

    async handle(attempt) {
        if (this.draining) return { released: {} }; // assigned before the pool heard of it
        try {
            return { succeeded: { result: await this.handlers[attempt.task.kind](attempt), content_type: "text/plain" } };
        } catch (error) {
            if (error instanceof InvalidPayloadError) return { failed: { code: "FAILURE_CODE_INVALID_PAYLOAD", message: error.message } };
            return { failed: { message: error.message, detail: error.stack, retryable: true } };
        }
    }

    report(attempt, what, isEnding = false) {
        if (!this.held.has(attempt.token) || (what.progress && !this.stream)) return; // the lease is lost; or the progress will be old when there is a connection again
        if (isEnding) this.held.delete(attempt.token);
        const reports = { sequence: ++this.sequence, items: [{ lease: attempt.lease, ...what }] };
        this.unaccepted.push(reports);
        this.send({ reports });
    }

    heartbeat() {
        this.send({ heartbeat: { received_sequence: this.received, tokens: [...this.held.values()].map(({ lease }) => lease.token) } });
    }

    send(message) {
        this.stream?.write(message);
    }

    closeIfDone() {
        if (!this.isDone()) return;
        this.stream?.end();
        this.stream = null;
    }

    isDone() {
        return this.draining && this.held.size === 0 && this.unaccepted.length === 0;
    }
}

async function reverse({ task }) {
    return Buffer.from(task.payload).reverse();
}

/** Counts to the number in the payload, ten a second. */
async function count(attempt) {
    const steps = Number.parseInt(attempt.task.payload);
    if (Number.isNaN(steps)) throw new InvalidPayloadError(`not a number: ${attempt.task.payload}`);
    for (let step = 1; step <= steps; step++) {
        await sleep(100, undefined, { signal: attempt.signal });
        attempt.progress(step / steps, `${step} of ${steps}`);
        attempt.log(`${step}\n`);
    }
    return Buffer.from(`${steps}`);
}

async function main() {
    const worker = new Worker({ "node.reverse": reverse, "node.count": count });
    process.on("SIGTERM", () => worker.drain());
    await worker.run(process.env.GRPCPOOL_ADDRESS);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
