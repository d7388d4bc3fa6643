#!/usr/bin/env node
// A client of GrpcPool, small enough to be copied and changed.
//
// It is also a program: client.mjs submit KIND [PAYLOAD] | watch ID | cancel ID, after npm ci.
// The server is the one at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

// Fields are named as in the contract, enums are their names, and int64 are numbers. A payload is a Buffer: a string would be taken for base64.
const PROTOS = fileURLToPath(new URL("../../../protos", import.meta.url));
const FORM = { includeDirs: [PROTOS], keepCase: true, enums: String, longs: Number, defaults: true };
const { TaskPoolService } = grpc.loadPackageDefinition(loadSync("grpcpool/v1/task_pool.proto", FORM)).grpcpool.v1;

// The channel itself repeats these calls while the server is out of reach: with an id in each task they are harmless to repeat.
const REPEATED = ["Submit", "GetStatus", "Wait", "Cancel"].map((method) => ({ service: "grpcpool.v1.TaskPoolService", method }));
const REPEAT = { maxAttempts: 5, initialBackoff: "0.2s", maxBackoff: "5s", backoffMultiplier: 2, retryableStatusCodes: ["UNAVAILABLE"] };
const SERVICE_CONFIG = { methodConfig: [{ name: REPEATED, retryPolicy: REPEAT }] };

export const FINAL = ["TASK_STATE_SUCCEEDED", "TASK_STATE_FAILED", "TASK_STATE_CANCELLED", "TASK_STATE_EXPIRED"];

export class WaitTimeoutError extends Error {}

export function seconds(number) {
    const nanos = Math.round(number * 1e9);
    return { seconds: Math.floor(nanos / 1e9), nanos: nanos % 1e9 };
}

export class PoolClient {
    constructor(address = "127.0.0.1:50051") {
        this.stub = new TaskPoolService(address, grpc.credentials.createInsecure(), { "grpc.service_config": JSON.stringify(SERVICE_CONFIG) });
    }

    close() {
        this.stub.close();
    }

    /** Any call that has one answer, such as `call("count", { filter })`; rejects with the error's `code`, `details` and `metadata`. */
    call(method, request, timeout = 30) {
        return new Promise((resolve, reject) => {
            const done = (error, answer) => (error ? reject(error) : resolve(answer));
            this.stub[method](request, { deadline: Date.now() + timeout * 1000 }, done);
        });
    }

    /** Submits a task; `spec` are further fields of TaskSpec. Its id makes a repeated call harmless: take your own where you have one. */
    async submit(kind, payload = Buffer.alloc(0), spec = {}) {
        return (await this.call("submit", { task: { id: randomUUID(), kind, payload, ...spec } })).task;
    }

    /** Submits many tasks, without waiting for each answer; yields a result per task, in their order. The sequence is its index. */
    async *submitStream(specs, perMessage = 500) {
        const items = specs.map((task, sequence) => ({ sequence, task }));
        const requests = [];
        for (let i = 0; i < items.length; i += perMessage) requests.push({ items: items.slice(i, i + perMessage) });
        const stream = this.stub.submitStream();
        Readable.from(requests).pipe(stream);
        for await (const response of messages(stream)) yield* response.results;
    }

    async getStatus(id) {
        return (await this.call("getStatus", { id, view: "TASK_VIEW_FULL" })).task;
    }

    /** Waits for the end of a task and answers it with its result. WaitTimeoutError: it has not ended, and goes on. */
    async wait(id, timeout) {
        const end = performance.now() + timeout * 1000;
        while (true) {
            const step = Math.min(Math.max((end - performance.now()) / 1000, 0), 60);
            const answer = await this.call("wait", { id, timeout: seconds(step), view: "TASK_VIEW_FULL" }, step + 30);
            if (answer.finished) return answer.task;
            if (performance.now() >= end) throw new WaitTimeoutError(`${id} is still ${answer.task.state}`);
        }
    }

    /** Yields what happens to the tasks `{ ids }` or `{ filter }`. When the stream breaks, it goes on where it stood. */
    async *watch(what, afterRevision = 0) {
        const whenReady = new grpc.Metadata({ waitForReady: true });
        let pause = 100;
        while (true) {
            try {
                for await (const message of messages(this.stub.watch({ ...what, after_revision: afterRevision }, whenReady))) {
                    pause = 100;
                    yield* message.events;
                    afterRevision = message.revision || afterRevision;
                }
                return;
            } catch (error) {
                if (error.code === grpc.status.OUT_OF_RANGE && afterRevision) {
                    afterRevision = 0; // too long ago: the tasks come anew, as snapshots
                } else if (error.code === grpc.status.UNAVAILABLE) {
                    await sleep(pause);
                    pause = Math.min(2 * pause, 5000);
                } else {
                    throw error;
                }
            }
        }
    }

    async cancel(id, reason = "", forceAfter = 10) {
        return (await this.call("cancel", { id, reason, force_after: seconds(forceAfter) })).task;
    }
}

/** The messages of a call that streams; leaving the loop early ends the call. */
export async function* messages(stream) {
    stream.on("error", () => {}); // the loop throws it; after the loop nobody else would listen
    try {
        yield* stream;
    } finally {
        stream.cancel();
    }
}

function show({ state, progress, result, failure }) {
    console.log(state, `${Math.round((progress?.fraction ?? 0) * 100)}%`, progress?.message ?? "");
    if (state === "TASK_STATE_SUCCEEDED") console.log(`result: ${result}`);
    else if (FINAL.includes(state)) console.log(`failure: ${failure?.message ?? ""}`);
}

async function main(verb, argument, payload = "") {
    const pool = new PoolClient(process.env.GRPCPOOL_ADDRESS);
    if (verb === "submit") console.log((await pool.submit(argument, Buffer.from(payload))).id);
    else if (verb === "watch") for await (const { task } of pool.watch({ ids: [argument], view: "TASK_VIEW_FULL" })) task && show(task);
    else if (verb === "cancel") console.log((await pool.cancel(argument, "cancelled from Node.js")).state);
    else throw new Error("usage: client.mjs submit KIND [PAYLOAD] | watch ID | cancel ID");
    pool.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(...process.argv.slice(2));
