// Loads a staged Worker in this process, in Node. Knows nothing of HTTP or of D1.
//
// For what has to look at Pyodide from outside: to count, to measure, to see what a snapshot would
// hold. Where a Worker serves requests, it runs in workerd: see server.mjs. What differs here, and can't
// be helped: memory and time have no limit, and what belongs to one request can be used in another.

import { createRequire } from "node:module";

import { loadPyodide } from "pyodide";

import { filesOf } from "./files.mjs";
import { ENVIRONMENT, gateOf, importWorker, write } from "./python.mjs";

/** What handlers get as `ctx`. Keeps what they asked to have finished after the response. */
export class ExecutionContext {
  pending = [];
  props = {};

  get [Symbol.toStringTag]() {
    return "ExecutionContext";
  }

  waitUntil(promise) {
    const work = Promise.resolve(promise);
    work.catch(() => {}); // told of by whoever awaits it, and no end of the process before
    this.pending.push(work);
  }

  passThroughOnException() {}
}

/**
 * Returns a function (context, env) => entrypoint, whose methods are called by name.
 *
 * *globals* stand in for those of the same name, for Python alone. With *snapshot*, Pyodide keeps the
 * paths that lead to what Python holds of JavaScript.
 */
export async function loadWorker({ globals = {}, snapshot = false, ...folders }) {
  if (!("promising" in WebAssembly)) {
    throw new Error("workerd switches stacks; run node with --experimental-wasm-jspi");
  }
  const started = performance.now();
  const pyodide = await loadPyodide({
    env: ENVIRONMENT,
    jsglobals: globalsForPython(globals),
    _makeSnapshot: snapshot,
    stdout: (line) => console.error(line),
    stderr: (line) => console.error(line),
  });
  const loaded = performance.now();
  write(pyodide, filesOf(folders));
  const crypto = createRequire(import.meta.url)("node:crypto");
  const chance = gateOf(pyodide, crypto.randomFillSync);
  crypto.randomFillSync = chance.fill;

  let importing;
  let imported;
  const worker = await importWorker(pyodide, chance, () => {
    const release = freezeGlobals();
    importing = performance.now();
    return () => {
      imported = performance.now();
      release();
    };
  });
  const times = { pyodide_ms: loaded - started, import_ms: imported - importing };
  return { ...worker, times, version: pyodide.version, pyodide };
}

/** Returns what Python sees as `js`: everything but what would make code out of text. */
function globalsForPython(globals) {
  function refuse() {
    throw new EvalError("Code generation from strings disallowed for this context");
  }
  const own = { ...globals, eval: refuse, Function: refuse };
  return new Proxy(globalThis, {
    get: (target, name) => (Object.hasOwn(own, name) ? own[name] : target[name]),
  });
}

/** Takes away what workerd refuses in global scope, and stops the clock. Returns what undoes it. */
function freezeGlobals() {
  const originals = [];
  function replace(object, name, value) {
    const own = Object.getOwnPropertyDescriptor(object, name);
    originals.push(() =>
      own ? Object.defineProperty(object, name, own) : delete object[name],
    );
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  }
  function refuse() {
    throw new Error("Disallowed operation called within global scope.");
  }
  replace(globalThis.crypto, "getRandomValues", refuse);
  replace(globalThis.crypto, "randomUUID", refuse);
  replace(globalThis, "fetch", refuse);
  replace(Date, "now", () => 0);
  return () => {
    for (const undo of originals.reverse()) undo();
  };
}
