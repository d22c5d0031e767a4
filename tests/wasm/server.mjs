// The wasm tier: serves a staged Worker on workerd, with real Pyodide and real D1, on loopback alone.
//
//   node tests/wasm/server.mjs [BUNDLE] [--port=0] [--schema=schema.sql] [--data=FOLDER]
//     [--vars=JSON] [--limiters=JSON] [--consumed=QUEUE]... [--binding=DB] [--overlay=FOLDER]...
//
// Prints one line of JSON when it is ready: {"url", "raw_url", "start_ms"}. At `raw_url` nothing
// stands before the Worker, not even Miniflare. What the Worker prints, and the traceback of what it
// raises, goes to standard error. Ends with standard input.
//
// What wrangler would do is left out: it would bind workerd's own Python to the bundle, and workerd would
// download a Pyodide for it. Here npm's Pyodide runs in a Worker in JavaScript: see inside.mjs.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { Miniflare } from "miniflare";

import { applySchema, bindingsOf, DATE, SERVICES } from "./database.mjs";
import { filesOf } from "./files.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const CACHE = join(ROOT, ".cache/wasm");
const PYODIDE = join(ROOT, "node_modules/pyodide");
const HOST = "127.0.0.1";

const SHADOWS = "crypto, fetch, location, process, setTimeout, WebAssembly";
const SHADOWED = `import { ${SHADOWS} } from "./shadows.mjs";\n`;

async function main() {
  const started = performance.now();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      binding: { type: "string", default: "DB" },
      consumed: { type: "string", multiple: true, default: [] },
      data: { type: "string" },
      limiters: { type: "string", default: "{}" },
      overlay: { type: "string", multiple: true, default: [] },
      port: { type: "string", default: "0" },
      schema: { type: "string", default: join(ROOT, "schema.sql") },
      vars: { type: "string", default: "{}" },
    },
  });
  const files = filesOf({
    bundle: resolve(positionals[0] ?? join(ROOT, "build/worker")),
    modules: join(CACHE, "modules"),
    overlays: [join(HERE, "stand_in"), ...values.overlay],
    runtime: join(CACHE, "runtime"),
  });
  const miniflare = new Miniflare({
    host: HOST,
    port: Number(values.port),
    cf: false,
    unsafeTriggerHandlers: true,
    handleStructuredLogs: ({ message }) => console.error(message),
    ...(values.data && { resourcePersistencePath: values.data }),
    workers: [
      {
        config: {
          name: "worker",
          compatibilityDate: DATE,
          env: envOf(values),
          triggers: values.consumed.map((name, index, { [index + 1]: next }) => consumer(name, next)),
          manifest: { mainModule: "inside.mjs", modules: modulesOf(files) },
        },
        dev: { unsafeEvalBinding: "UNSAFE_EVAL", unsafeDirectSockets: [{ host: HOST, port: 0 }] },
      },
      ...SERVICES,
    ],
  });
  const url = await miniflare.ready;
  const { [values.binding]: database } = await miniflare.getBindings("worker");
  if (existsSync(values.schema)) await applySchema(database, readFileSync(values.schema, "utf8"));
  endWith(process.stdin, async () => {
    await miniflare.dispose();
    process.exit(0);
  });
  const raw = await miniflare.unsafeGetDirectURL("worker");
  const report = { url: url.origin, raw_url: raw.origin, start_ms: performance.now() - started };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function envOf({ binding, limiters, vars }) {
  const values = { ...JSON.parse(vars), HARNESS_DATABASE: binding };
  const variables = Object.entries(values).map(([name, value]) => [
    name,
    { type: typeof value === "string" ? "text" : "json", value },
  ]);
  return { ...bindingsOf(binding, JSON.parse(limiters)), ...Object.fromEntries(variables) };
}

/** Has the Worker consume the queue *name*; what it gives up, after two attempts, goes to the queue *next*. */
function consumer(name, next) {
  return { type: "queue", name, maxBatchTimeout: 0.05, maxRetries: 1, ...(next && { deadLetterQueue: next }) };
}

/** Returns the modules that workerd is given: what runs inside, Pyodide, and the Worker's *files*. */
function modulesOf(files) {
  const script = (path) => readFileSync(path, "utf8");
  const data = (name) => readFileSync(join(PYODIDE, name));
  const modules = {
    "inside.mjs": ["esm", script(join(HERE, "inside.mjs"))],
    "python.mjs": ["esm", script(join(HERE, "python.mjs"))],
    "shadows.mjs": ["esm", script(join(HERE, "shadows.mjs"))],
    "pyodide.mjs": ["esm", SHADOWED + script(join(PYODIDE, "pyodide.mjs"))],
    "pyodide.asm.mjs": ["esm", SHADOWED + script(join(PYODIDE, "pyodide.asm.mjs"))],
    "pyodide.asm.wasm": ["wasm", data("pyodide.asm.wasm")],
    "pyodide-lock.json": ["json", script(join(PYODIDE, "pyodide-lock.json"))],
    "python_stdlib.zip": ["data", data("python_stdlib.zip")],
    ...archived(files),
  };
  return Object.fromEntries(
    Object.entries(modules).map(([name, [type, contents]]) => [name, { type, contents }]),
  );
}

/** Returns all *files* as one module of bytes, and one that says from where to where each lies. */
function archived(files) {
  const places = {};
  let size = 0;
  for (const [path, { length }] of files) places[path] = [size, (size += length)];
  return {
    "files.bin": ["data", Buffer.concat(files.map(([, bytes]) => bytes))],
    "files.json": ["json", JSON.stringify(places)],
  };
}

/** Ends the server when whoever started it closes its standard input, or asks it to. */
function endWith(stream, end) {
  stream.resume().on("end", end);
  process.on("SIGTERM", end).on("SIGINT", end);
}

try {
  await main();
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
