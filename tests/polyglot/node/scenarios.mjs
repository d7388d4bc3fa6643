#!/usr/bin/env node
// What a Node.js client must be able to rely on, against the server at GRPCPOOL_ADDRESS.
//
// The server needs the built-in kinds, and a queue `small` of a small capacity that rejects when it is full. Each scenario prints one line,
// `ok <name>` or `not ok <name>: why`; the exit code is 1 when one failed. Tasks of other clients do not disturb, but for those in `small`.

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { inspect, isDeepStrictEqual } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { FINAL, PoolClient, WaitTimeoutError, messages, seconds } from "./client.mjs";

const SCENARIO = 60; // the limit of one scenario, in seconds
const RUN = randomUUID().replaceAll("-", ""); // tells the tasks of this run from all others
const MINE = { run: RUN };
const HOUR_LONG = Buffer.from('{"seconds": 3600}');
const DETAILS = loadSync(fileURLToPath(new URL("../error_details.proto", import.meta.url)), { keepCase: true, longs: Number, defaults: true });

async function submitAndWatch(pool) {
    const task = { id: newId(), kind: "sleep", payload: Buffer.from('{"seconds": 0.3, "steps": 3}'), labels: MINE };
    const answers = await all(stream(pool, "submitAndWatch", { task }));
    const events = eventsOf(answers);
    check(answers[0].created && !answers.slice(1).some((answer) => answer.created), "only the first message says created");
    check(events[0].type === "WATCH_EVENT_TYPE_SNAPSHOT" && events[0].task.version === 1, "the first event is the task as accepted", events[0]);
    const tasks = tasksOf(events);
    check(tasks.every(({ id }) => id === task.id), "all events are of this task");
    check(tasks.every(({ version }, i) => version >= (i ? tasks[i - 1].version : 1)), "versions do not go back", tasks);
    check(tasks.at(-1).state === "TASK_STATE_SUCCEEDED", "the last event is the end", tasks.at(-1));
    check(events.some((event) => event.type === "WATCH_EVENT_TYPE_PROGRESS" && event.task.progress.fraction < 1), "there is progress on the way");

    const late = eventsOf(await all(stream(pool, "watch", { ids: [task.id] })));
    const types = late.map((event) => event.type);
    check(isDeepStrictEqual(types, ["WATCH_EVENT_TYPE_SNAPSHOT", "WATCH_EVENT_TYPE_SYNCED"]), "a late watch has the end, and ends", late);
    check(late[0].task.version === tasks.at(-1).version, "a late watch has the same version");
}

async function idempotentId(pool) {
    const spec = { id: newId(), kind: "echo", payload: Buffer.from("once"), labels: { ...MINE, b: "2", a: "1" }, headers: { try: "1" } };
    const first = await pool.call("submit", { task: spec });
    check(first.created && first.task.id === spec.id, "the first call makes the task", first);
    spec.headers = { try: "2" }; // headers do not count
    const again = await pool.call("submit", { task: spec });
    check(!again.created && isDeepStrictEqual(again.task.submitted_at, first.task.submitted_at), "the second call answers the same task", again);
    const watched = await all(stream(pool, "submitAndWatch", { task: spec, view: "TASK_VIEW_FULL" }));
    check(!watched[0].created, "watching it makes no other");
    const ended = tasksOf(eventsOf(watched)).at(-1);
    check(ended.result.equals(spec.payload) && ended.attempt === 1, "it ran once", ended);
    check(ended.headers.try === "1", "the headers are those of the first call");
}

async function conflict(pool) {
    const { id } = await pool.submit("echo", Buffer.from("one"), { id: newId(), labels: MINE });
    const error = await refused(pool.submit("echo", Buffer.from("other"), { id, labels: MINE }));
    check(error.code === grpc.status.ALREADY_EXISTS, "another spec is refused", error);
    check(detail(error, "ErrorInfo").reason === "ID_CONFLICT" && error.details.includes(id), "the error says why", error);
    const [result] = await all(pool.submitStream([{ id, kind: "fail", labels: MINE }]));
    check(result.error.code === grpc.status.ALREADY_EXISTS && result.error.reason === "ID_CONFLICT", "also within a stream", result);
    check((await pool.wait(id, 30)).result.toString() === "one", "the first task is as it was");
}

async function notFound(pool) {
    const id = newId();
    const calls = ["getStatus", "wait", "cancel", "retry", "delete"].map((method) => () => pool.call(method, { id }));
    for (const call of [...calls, () => all(stream(pool, "watch", { ids: [id] }))]) {
        const error = await refused(call());
        const said = error.code === grpc.status.NOT_FOUND && detail(error, "ErrorInfo").reason === "TASK_NOT_FOUND";
        check(said, "an unknown id is not found", error);
    }
    const error = await refused(pool.submit("no-such-kind", undefined, { labels: MINE }));
    check(error.code === grpc.status.NOT_FOUND && error.details.includes("echo"), "an unknown kind is not found, and the known ones are named", error);

    const forgotten = await pool.submit("echo", undefined, { labels: MINE });
    await pool.wait(forgotten.id, 30);
    await pool.call("delete", { id: forgotten.id });
    check((await refused(pool.getStatus(forgotten.id))).code === grpc.status.NOT_FOUND, "a deleted task is not found");
}

async function queueFull(pool) {
    const everything = { filter: { queues: ["small"] } };
    const later = () => ({ id: newId(), kind: "echo", queue: "small", delay: seconds(3600), labels: MINE });
    await pool.call("cancelMatching", everything);
    try {
        const accepted = [];
        let task, error;
        while (!error) {
            check(accepted.length < 1000, "a queue of a small capacity becomes full");
            task = later();
            await pool.call("submit", { task }).then(() => accepted.push(task), (full) => (error = full));
        }
        check(error.code === grpc.status.RESOURCE_EXHAUSTED, "a full queue refuses", error);
        const info = detail(error, "ErrorInfo");
        const named = isDeepStrictEqual({ ...info.metadata }, { queue: "small", capacity: `${accepted.length}` });
        check(info.reason === "QUEUE_FULL" && named, "the error says what is full", info);
        const { retry_delay } = detail(error, "RetryInfo");
        check(retry_delay.seconds > 0 || retry_delay.nanos > 0, "the error says when to try again", retry_delay);

        const known = await pool.call("submit", { task: accepted[0] });
        check(!known.created && known.task.state === "TASK_STATE_SCHEDULED", "a known id is answered also while the queue is full", known);
        check((await pool.cancel(accepted[0].id)).state === "TASK_STATE_CANCELLED", "a waiting task is cancelled at once");
        check((await pool.call("submit", { task })).created, "there is room again");
    } finally {
        await pool.call("cancelMatching", everything);
    }
}

async function cancelRunning(pool) {
    const { id } = await pool.submit("sleep", HOUR_LONG, { labels: MINE });
    await untilRunning(pool, id);
    const answer = await pool.cancel(id, "no longer needed");
    check(answer.cancellation.reason === "no longer needed" && answer.cancellation.at, "the answer shows the cancellation", answer);
    const ended = await pool.wait(id, 30);
    check(ended.state === "TASK_STATE_CANCELLED" && ended.cancellation.reason === "no longer needed", "it ends cancelled", ended);
    const again = await pool.cancel(id, "twice");
    const same = again.version === ended.version && again.cancellation.reason === "no longer needed";
    check(same, "a finished task is answered as it is", again);
}

async function waitTimeout(pool) {
    const { id } = await pool.submit("sleep", HOUR_LONG, { labels: MINE });
    const begin = performance.now();
    const answer = await pool.call("wait", { id, timeout: seconds(0.3) });
    check(!answer.finished && ["TASK_STATE_QUEUED", "TASK_STATE_RUNNING"].includes(answer.task.state), "it has not ended", answer);
    const took = performance.now() - begin;
    check(280 < took && took < 30_000, "the answer comes when the time has passed", took); // the server's timers are exact to some ms
    check(!(await pool.call("wait", { id, timeout: seconds(0) })).finished, "no time is a question");
    check((await refused(pool.wait(id, 0.1))) instanceof WaitTimeoutError, "the client's wait times out");
    await pool.cancel(id);
    check((await pool.call("wait", { id })).finished, "it ends, and a wait without a timeout says so");
}

async function retries(pool) {
    const retry = { max_attempts: 3, initial_backoff: seconds(0.05), jitter: 0 };
    const { id } = await pool.submit("fail", Buffer.from('{"times": 2, "message": "not yet"}'), { retry, labels: MINE });
    const task = await pool.wait(id, 30);
    check(task.state === "TASK_STATE_SUCCEEDED" && task.attempt === 3 && !task.failure, "the third attempt succeeds", task);
    check(isDeepStrictEqual(task.attempts.map(({ number }) => number), [1, 2, 3]), "the history has every attempt", task);
    const failures = task.attempts.map(({ failure }) => failure?.message);
    check(isDeepStrictEqual(failures, ["not yet", "not yet", undefined]), "two attempts failed", task);
    const pauses = [0, 1].map((i) => milliseconds(task.attempts[i + 1].started_at) - milliseconds(task.attempts[i].finished_at));
    check([50, 100].every((least, i) => least <= pauses[i] && pauses[i] < 3000), "the pauses grow, and are no longer than asked", pauses);

    const final = { id: newId(), kind: "fail", payload: Buffer.from('{"message": "never", "retryable": false}'), retry, labels: MINE };
    const ended = tasksOf(eventsOf(await all(stream(pool, "submitAndWatch", { task: final })))).at(-1);
    check(ended.state === "TASK_STATE_FAILED" && ended.attempt === 1, "a final failure is not tried again", ended);
    check(ended.failure.code === "FAILURE_CODE_HANDLER_ERROR" && ended.failure.message === "never", "the failure says why", ended);
    const anew = (await pool.call("retry", { id: final.id })).task;
    const runs = anew.version === ended.version + 1 && !["TASK_STATE_FAILED", "TASK_STATE_RETRYING"].includes(anew.state);
    check(runs, "Retry runs it again", anew);
    check((await pool.wait(final.id, 30)).state === "TASK_STATE_FAILED", "it fails again");
}

async function resumeWatch(pool) {
    const labels = { watched: RUN };
    const filter = { labels };
    const ids = Array.from({ length: 40 }, newId);
    const submit = (part) => all(pool.submitStream(part.map((id) => ({ id, kind: "echo", labels }))));
    await submit(ids.slice(0, 10));
    const seen = new Map(); // the newest version of each task that was seen
    const ended = new Set();

    let revision = 0;
    for await (const message of stream(pool, "watch", { filter })) {
        note(message.events, seen, ended);
        revision = message.revision || revision;
        if (revision && seen.size === 10) break;
    }

    await submit(ids.slice(10, 20));
    await pool.wait(ids[19], 30);
    const resumed = stream(pool, "watch", { filter, after_revision: revision });
    const submitted = submit(ids.slice(20));
    for await (const message of resumed) {
        const news = message.events.every(({ type }) => ["WATCH_EVENT_TYPE_CHANGED", "WATCH_EVENT_TYPE_SYNCED"].includes(type));
        check(news, "a resumed watch has no snapshot", message);
        check(message.revision === 0 || message.revision >= revision, "the revision does not go back", message);
        revision = message.revision || revision;
        note(message.events, seen, ended);
        if (ids.every((id) => ended.has(id))) break;
    }
    await submitted;
    check(ended.size === ids.length, "each task has ended, and no other is seen", ended);

    const future = revision + 1e15;
    const error = await refused(all(stream(pool, "watch", { filter, after_revision: future })));
    check(error.code === grpc.status.OUT_OF_RANGE, "a revision of the future is out of range", error);
    for await (const event of pool.watch({ filter }, future)) {
        check(event.type === "WATCH_EVENT_TYPE_SNAPSHOT", "the client then starts anew", event);
        break;
    }
}

async function submitStream(pool) {
    const labels = { bulk: RUN };
    const spec = (_, i) => ({ id: `${RUN}-bulk-${i}`, kind: "echo", payload: Buffer.from(`${i}`), queue: "bulk", labels });
    const specs = Array.from({ length: 10_000 }, spec);
    const results = await all(pool.submitStream(specs));
    check(results.length === specs.length && results.every(({ sequence }, i) => sequence === i), "there is a result for each task, in order");
    const wrong = results.find(({ created, id, sequence }) => !created || id !== specs[sequence].id);
    check(!wrong, "each task is accepted", wrong);

    const waiting = new Set(specs.map(({ id }) => id));
    for await (const { task } of pool.watch({ filter: { labels } })) {
        if (FINAL.includes(task?.state)) {
            check(task.state === "TASK_STATE_SUCCEEDED", "each task succeeds", task);
            waiting.delete(task.id);
        }
        if (waiting.size === 0) break;
    }
    const count = await pool.call("count", { filter: { labels, states: ["TASK_STATE_SUCCEEDED"] } });
    check(count.total === specs.length && count.exact, "all are counted", count);
    check(!(await all(pool.submitStream(specs))).some(({ created }) => created), "a repeated stream makes no task");
}

function newId() {
    return `${RUN}-${randomUUID().slice(-12)}`;
}

function check(holds, expected, actual) {
    if (!holds) throw new Error(actual === undefined ? expected : `${expected}: ${inspect(actual, { depth: 4, breakLength: Infinity })}`);
}

function stream(pool, method, request) {
    return messages(pool.stub[method](request, { deadline: Date.now() + 30_000 }));
}

async function all(items) {
    const list = [];
    for await (const item of items) list.push(item);
    return list;
}

const eventsOf = (answers) => answers.flatMap((answer) => answer.events);
const tasksOf = (events) => events.flatMap((event) => event.task ?? []);
const milliseconds = (timestamp) => timestamp.seconds * 1e3 + timestamp.nanos / 1e6;

/** Takes in what a watch says. The version of a snapshot may come once more, but none goes back. */
function note(events, seen, ended) {
    for (const task of tasksOf(events)) {
        check(task.version >= (seen.get(task.id) ?? 0), "versions do not go back", task);
        seen.set(task.id, task.version);
        if (FINAL.includes(task.state)) ended.add(task.id);
    }
}

async function untilRunning(pool, id) {
    for await (const { task } of pool.watch({ ids: [id] })) if (task?.state === "TASK_STATE_RUNNING") return;
    check(false, "the task starts");
}

async function refused(call) {
    const [outcome] = await Promise.allSettled([call]);
    check(outcome.status === "rejected", "expected an error, but it was answered", outcome.value);
    return outcome.reason;
}

/** The part of this type of the error's details; an empty one where there is none. */
function detail(error, type) {
    const [status = Buffer.alloc(0)] = error.metadata.get("grpc-status-details-bin");
    const packed = DETAILS["google.rpc.Status"].deserialize(status).details.find((part) => part.type_url.endsWith(`/google.rpc.${type}`));
    return DETAILS[`google.rpc.${type}`].deserialize(packed?.value ?? Buffer.alloc(0));
}

async function passes(scenario, pool) {
    const name = scenario.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    let timer;
    const tooSlow = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`it took longer than ${SCENARIO} s`)), SCENARIO * 1000);
    });
    try {
        await Promise.race([scenario(pool), tooSlow]);
        console.log("ok", name);
        return true;
    } catch (error) {
        console.log(`not ok ${name}: ${error.name}: ${error.message}`);
        console.error(error.stack);
        return false;
    } finally {
        clearTimeout(timer);
    }
}

const scenarios = [submitAndWatch, idempotentId, conflict, notFound, queueFull, cancelRunning, waitTimeout, retries, resumeWatch, submitStream];
const pool = new PoolClient(process.env.GRPCPOOL_ADDRESS);
let failed = 0;
for (const scenario of scenarios) if (!(await passes(scenario, pool))) failed++;
await pool.call("cancelMatching", { filter: { labels: MINE } });
process.exit(failed ? 1 : 0); // also where calls of a scenario that failed go on
