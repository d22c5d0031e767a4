// Runs the cases that ask for what no real part does when it is told to: a D1 that never answers, a
// queue that brings what JSON cannot hold. In Pyodide, in Node, with the real D1 where one is asked.
//
//   node --experimental-wasm-jspi tests/wasm/conformance.mjs
//
// Prints one line of JSON for each case: {"name", "error"}, where error is null or a traceback.

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { loadPyodide } from "pyodide";

import { applySchema, startDatabase } from "./database.mjs";
import { filesBelow } from "./files.mjs";
import { write } from "./python.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const TARGET = "/conformance";
// workerd's, which the SDK imports and no case uses.
const RUNTIME_MODULES = ["_cloudflare_compat_flags", "_pyodide_entrypoint_helper"];

const FILES = [
  "schema.sql",
  "tests/conformance/database_cases.py",
  "tests/conformance/storage_cases.py",
  "tests/wasm/binding_cases.py",
  "tests/wasm/d1_cases.py",
  "tests/wasm/queue_cases.py",
  "tests/wasm/conformance.py",
];

async function main() {
  const starting = startDatabase();
  const timers = countTimers();
  const pyodide = await loadPyodide({ stdout: (line) => console.error(line) });
  write(pyodide, [
    ...filesBelow(join(ROOT, ".cache/wasm/modules"), TARGET),
    ...filesBelow(join(ROOT, "framework"), `${TARGET}/framework`),
    ...filesBelow(join(HERE, "stand_in"), TARGET),
    ...FILES.map((name) => [`${TARGET}/${name}`, new Uint8Array(readFileSync(join(ROOT, name)))]),
  ]);
  for (const name of RUNTIME_MODULES) pyodide.registerJsModule(name, {});
  pyodide.runPython(`import sys; sys.path.insert(0, "${TARGET}")`);
  const suite = pyodide.pyimport("tests.wasm.conformance");
  const { database, stop } = await starting;
  const env = (DB) => ({ DB, AI: new Ai(), BROKEN: new BrokenLimiter(), MAIL: new SendEmail() });
  await runAll(suite, database, { ...BINDINGS, env, timers, proxies: countProxies(pyodide) });
  await stop();
  process.exit(0);
}

async function runAll(suite, database, fakes) {
  for (const statement of suite.SCHEMA) await database.exec(statement);
  await applySchema(database, readFileSync(join(ROOT, "schema.sql"), "utf8"));
  const reset = suite.RESET.toJs().join(";\n");
  for (const name of suite.names()) {
    await database.exec(reset);
    const error = await suite.run(name, database, fakes);
    process.stdout.write(`${JSON.stringify({ name, error: error ?? null })}\n`);
  }
}

/** Returns a binding that gives every statement and every batch, in a session or not, the promise that *answer* makes. */
function answering(answer) {
  const statement = { bind: () => statement, all: () => answer(row()) };
  const binding = { prepare: () => statement, batch: () => answer([row()]), withSession: () => binding };
  return binding;
}

function row() {
  return { success: true, meta: { changes: 1 }, results: [{ a: 1 }] };
}

/** Returns what a queue brings, and in `told` what is said of each message. Stands in for workerd's. */
function bring() {
  const bytes = [new Uint8Array([1, 2]), new Uint8Array([3]).buffer];
  return bringAll(["text", { to: "ada", tags: [1, null] }, ...bytes, null, 5]);
}

/** Returns the same with one message between others that JSON cannot hold, as its sender may put there. */
function bringUnreadable(kind) {
  const bodies = { map: new Map([["a", 1]]), set: new Set([1]), nothing: undefined, big: { a: 10n }, half: "\ud800", deep: JSON.parse("[".repeat(4000) + "]".repeat(4000)) };
  return bringAll(["before", kind === "half" ? { s: bodies.half } : bodies[kind], "after"]);
}

function bringAll(bodies) {
  const told = [];
  const messages = bodies.map((body, index) => ({
    id: `m${index}`,
    body,
    timestamp: new Date(1000 * (index + 1)),
    attempts: index + 1,
    ack: () => told.push([index, "ack", -1]),
    retry: (options) => told.push([index, "retry", options?.delaySeconds ?? -1]),
  }));
  return { queue: "mails", messages, told };
}

const BINDINGS = {
  bring,
  bringAll,
  bringUnreadable,
  instant: () => answering(async (result) => result),
  late: (delay) => answering((result) => new Promise((done) => set(done, delay, result))),
  never: () => answering(() => new Promise(() => {})),
  refusing: (message) => answering(() => Promise.reject(new Error(message))),
};

/** A rate limiter that is out, as none of Miniflare's can be. */
class BrokenLimiter {
  async limit() {
    throw new Error("the limiter is out");
  }
}

/** What Workers AI is in workerd: it has a `fetch`, as a service has. Answers with what it was asked. */
class Ai {
  async run(model, inputs) {
    return inputs === undefined ? null : { model, inputs: structuredClone(inputs), usage: null };
  }

  gateway(id) {
    return { id };
  }

  async fetch() {
    throw new Error("nobody asks this");
  }
}

/** What sends mails where the app is deployed: no service, and nothing that the SDK knows. */
class SendEmail {
  async send(mail) {
    return structuredClone(mail);
  }
}

const { setTimeout: set, clearTimeout: clear } = globalThis;

/** Watches the timers. Returns what counts those of a delay that are neither over nor taken down. */
function countTimers() {
  const live = new Map();
  globalThis.setTimeout = (callback, delay, ...rest) => {
    const timer = set((...args) => (live.delete(timer), callback(...args)), delay, ...rest);
    live.set(timer, delay);
    return timer;
  };
  globalThis.clearTimeout = (timer) => (live.delete(timer), clear(timer));
  return (delay) => [...live.values()].filter((value) => value === delay).length;
}

/** Counts the Python objects that JavaScript holds. */
function countProxies({ _module }) {
  _module.enable_pyproxy_allocation_tracing?.();
  return () => _module.pyproxy_alloc_map?.size ?? 0;
}

await main();
