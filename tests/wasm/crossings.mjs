// Lists what a Worker asks of JavaScript for each request, and what is left when it is over.
//
//   node --experimental-wasm-jspi --expose-gc tests/wasm/crossings.mjs BUNDLE
//
// Prints {"crossings": {name: [...]}, "left": {name: {...}}}. Request, env, ctx and all that comes from them are
// proxies that write down each property read and each call, as are the globals that Python sees. What
// Pyodide itself looks at, to tell what an object is, is left out; so are the platform's look-ups.

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { ExecutionContext, loadWorker } from "./runtime.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = resolve(HERE, "../../.cache/wasm");
const WARM_UP = 1000;
const ROUNDS = 3000;
/** Bytes of a body that workerd hands out at once, unless it is told how many there is room for. */
const PIECE = 4096;

// Read by Pyodide for the type of a proxy, and by workerd's Python to tell what it was handed.
const SILENT = new Set(
  "constructor then length size get set has includes next name message stack byteLength".split(" "),
);
const GLOBALS = ["Response", "Headers", "JSON", "Array", "Object", "Promise", "TextEncoder", "Uint8Array"];

const log = [];
let listening = false;

function note(line) {
  if (listening) log.push(line);
}

/** Returns what *call* returns; what JavaScript does in the meantime is no crossing. */
function unheard(call) {
  const before = listening;
  listening = false;
  try {
    return call();
  } finally {
    listening = before;
  }
}

/** Returns *object*, with all that Python does to it written down under *label*. */
function watched(object, label) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof name === "symbol" || name === "constructor") return value;
      if (typeof value === "function") {
        return (...args) => {
          note(`${label}.${name}(${name === "get" ? args[0] : ""})`);
          return wrapped(unheard(() => value.apply(target, args)), name);
        };
      }
      if (!SILENT.has(name)) note(`${label}.${name}`);
      return wrapped(value, name);
    },
  });
}

function wrapped(value, label) {
  if (label === "promise") return value; // which JavaScript alone waits for
  if (value instanceof Promise) return value.then((result) => wrapped(result, "answer"));
  const isPlain = typeof value !== "object" || value === null || Array.isArray(value);
  return isPlain || value instanceof Uint8Array ? value : watched(value, label);
}

function watchedGlobals() {
  const globals = {};
  for (const name of GLOBALS) {
    globals[name] = new Proxy(globalThis[name], {
      construct(target, args) {
        note(`new ${name}()`);
        return unheard(() => Reflect.construct(target, args));
      },
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof key === "symbol" || typeof value !== "function" || key === "prototype") return value;
        return (...args) => {
          note(`${name}.${key}()`);
          const made = unheard(() => value.apply(target, args));
          return name === "Promise" ? watched(made, key) : made;
        };
      },
    });
  }
  for (const name of ["setTimeout", "clearTimeout"]) {
    globals[name] = (...args) => (note(`${name}()`), globalThis[name](...args));
  }
  return globals;
}

const statement = (rows, changes) => ({
  bind: () => statement(rows, changes),
  all: async () => ({ success: true, meta: { changes }, results: JSON.parse(rows) }),
});

const ROWS = { DB: "[]" };
const DB = {
  prepare: (sql) =>
    statement(ROWS[sql.includes("user_session") ? "session" : "DB"], Number(sql.startsWith("INSERT"))),
  batch: async (statements) => Promise.all(Array.from(statements, (each) => each.all())),
  withSession: () => DB,
};

async function main() {
  const worker = await loadWorker({
    bundle: resolve(process.argv[2]),
    modules: join(CACHE, "modules"),
    overlays: [join(HERE, "stand_in")],
    runtime: join(CACHE, "runtime"),
    globals: watchedGlobals(),
  });
  const { REQUESTS, SESSION } = worker.pyodide.pyimport("worker");
  ROWS.session = SESSION;
  const requests = Object.entries(REQUESTS.toJs({ dict_converter: Object.fromEntries }));
  const crossings = {};
  for (const [name, [method, url, headers, body]] of requests) {
    const make = () => new Request(url, { method, headers, body: body && bodyOf(body), duplex: "half" });
    await answer(worker, make(), { DB });
    log.length = 0;
    listening = true;
    const context = watched(new ExecutionContext(), "ctx");
    const response = await answer(worker, watched(make(), "request"), watched({ DB }, "env"), context);
    listening = false;
    crossings[name] = [`${response.status}`, ...log];
  }
  const left = {};
  for (const [name, request] of requests) {
    if (["guarded", "guarded nearby"].includes(name)) left[name] = await soak(worker, request);
  }
  process.stdout.write(`${JSON.stringify({ crossings, left })}\n`);
  process.exit(0);
}

function bodyOf(text) {
  return inPieces([Buffer.from(text)].values());
}

/** Returns a stream of *chunks*, an iterator of bytes, in pieces as workerd hands them out. */
function inPieces(chunks) {
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (!done) {
          for (let at = 0; at < value.length; at += PIECE) {
            controller.enqueue(new Uint8Array(value.subarray(at, at + PIECE)));
          }
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

async function answer(worker, request, env, context = new ExecutionContext()) {
  const entrypoint = await worker.instantiate(context, env);
  return entrypoint.invoke("fetch", request, undefined, undefined);
}

/** Returns how much more there is after many requests than after some. */
async function soak(worker, [method, url, headers]) {
  const send = async (times) => {
    for (let i = 0; i < times; i += 1) {
      await answer(worker, new Request(url, { method, headers }), { DB });
    }
    return count(worker.pyodide);
  };
  const before = await send(WARM_UP);
  const after = await send(ROUNDS);
  return Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));
}

/** Returns how many Python objects there are, JavaScript's that Python holds on to, and bytes. */
async function count(pyodide) {
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 5)); // finalizers run between turns
    pyodide.runPython("import gc; gc.collect()");
  }
  const objects = pyodide.runPython("len(gc.get_objects())");
  return { objects, held: pyodide._module._hiwire_num_refs(), bytes: pyodide._module.HEAP8.length };
}

try {
  await main();
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
