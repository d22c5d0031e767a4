// The wasm tier: serves a staged Worker over HTTP on real Pyodide and real D1, on loopback alone.
//
//   node --experimental-wasm-jspi tests/wasm/server.mjs [BUNDLE] [--port=0] [--schema=schema.sql]
//     [--data=FOLDER] [--vars=JSON] [--limiters=JSON] [--binding=DB] [--overlay=FOLDER]...
//
// Prints one line of JSON when it is ready: {"url", "pyodide", "import_ms", ...}. What the Worker
// prints, and the traceback of what it raises, goes to standard error. Ends with standard input.
//
// Of its own it answers, for tests that must reach behind the Worker:
//   POST /__harness/sql        {"sql", "params"?}  the result of D1's all()
//   POST /__harness/scheduled  ?cron=&time=        calls scheduled(), waits for all it started
//   POST /__harness/mails      {}                  what was sent through the binding EMAIL, in order

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

import { applySchema, asFetcher, startBindings } from "./database.mjs";
import { readRequest, refuse, writeResponse } from "./http.mjs";
import { ExecutionContext, loadWorker } from "./runtime.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const CACHE = join(ROOT, ".cache/wasm");

class ScheduledController {
  constructor(cron, scheduledTime) {
    this.cron = cron;
    this.scheduledTime = scheduledTime;
  }

  noRetry() {}
}

/** Hands each message to Miniflare's binding of `[[send_email]]`, and keeps those that it takes. */
class SendEmail {
  #binding;
  #mails;

  constructor(binding, mails) {
    this.#binding = binding;
    this.#mails = mails;
  }

  async send(message) {
    if (Object.getPrototypeOf(message) !== Object.prototype) throw new TypeError("no plain object");
    const sent = structuredClone(message);
    const { messageId } = await this.#binding.send(sent);
    this.#mails.push(sent);
    return { messageId };
  }
}

/** Compresses a body that says that it is, as workerd does, unless told that it is so already. */
const EncodingResponse = class Response extends globalThis.Response {
  constructor(body, init) {
    const encodes = new Headers(init?.headers).get("content-encoding") === "gzip";
    super(encodes && init.encodeBody !== "manual" ? gzipSync(body) : body, init);
  }
};

async function main() {
  const started = performance.now();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      binding: { type: "string", default: "DB" },
      data: { type: "string" },
      date: { type: "string", default: "2026-09-08" },
      limiters: { type: "string", default: "{}" },
      main: { type: "string", default: "worker.py" },
      overlay: { type: "string", multiple: true, default: [] },
      port: { type: "string", default: "0" },
      schema: { type: "string", default: join(ROOT, "schema.sql") },
      vars: { type: "string", default: "{}" },
    },
  });
  const starting = startBindings({
    ...values,
    folder: values.data,
    limiters: JSON.parse(values.limiters),
  });
  const worker = await loadWorker({
    bundle: resolve(positionals[0] ?? join(ROOT, "build/worker")),
    main: values.main,
    modules: join(CACHE, "modules"),
    globals: { Response: EncodingResponse },
    overlays: [join(HERE, "stand_in"), ...values.overlay],
    runtime: join(CACHE, "runtime"),
  });
  const { database, email, service, limiters, stop } = await starting;
  if (existsSync(values.schema)) await applySchema(database, readFileSync(values.schema, "utf8"));
  const mails = [];
  const env = {
    EMAIL: asFetcher(new SendEmail(email, mails)),
    SERVICE: asFetcher(service),
    ...JSON.parse(values.vars),
    ...limiters,
    [values.binding]: database,
  };

  const server = createServer((incoming, outgoing) =>
    answer({ worker, env, database, mails }, incoming, outgoing),
  );
  await new Promise((ready) => server.listen(Number(values.port), "127.0.0.1", ready));
  endWith(process.stdin, async () => {
    server.closeAllConnections();
    await stop();
    process.exit(0);
  });
  const report = {
    url: `http://127.0.0.1:${server.address().port}`,
    pyodide: worker.version,
    methods: worker.methods,
    ...worker.times,
    start_ms: performance.now() - started,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Ends the server when whoever started it closes its standard input, or asks it to. */
function endWith(stream, end) {
  stream.resume().on("end", end);
  process.on("SIGTERM", end).on("SIGINT", end);
}

async function answer({ worker, env, database, mails }, incoming, outgoing) {
  if (refuse(incoming, outgoing)) return;
  const context = new ExecutionContext();
  try {
    const [path, query] = incoming.url.split("?");
    if (incoming.method === "POST" && path === "/__harness/sql") {
      const { sql, params = [] } = await readJson(incoming);
      return sendJson(outgoing, await database.prepare(sql).bind(...params).all());
    }
    if (incoming.method === "POST" && path === "/__harness/mails") return sendJson(outgoing, mails);
    if (incoming.method === "POST" && path === "/__harness/scheduled") {
      return sendJson(outgoing, await schedule(worker, env, context, new URLSearchParams(query)));
    }
    const entrypoint = await worker.instantiate(context, env);
    const response = await entrypoint.invoke("fetch", readRequest(incoming), undefined, undefined);
    await writeResponse(response, incoming, outgoing);
  } catch (error) {
    fail(error, outgoing);
  } finally {
    for (const failure of await context.settled()) console.error("waitUntil:", failure);
  }
}

async function schedule(worker, env, context, searchParams) {
  const time = Number(searchParams.get("time") ?? Date.now());
  const controller = new ScheduledController(searchParams.get("cron") ?? "", time);
  const entrypoint = await worker.instantiate(context, env);
  if (!entrypoint.methods.includes("scheduled")) {
    throw new TypeError("Handler does not export a scheduled() function.");
  }
  // Unlike fetch, this is not called leniently: the method has to take all three.
  await entrypoint.invoke("scheduled", controller, undefined, undefined);
  const failures = await context.settled();
  if (failures.length > 0) throw failures[0];
  return { outcome: "ok" };
}

async function readJson(incoming) {
  const chunks = await Array.fromAsync(incoming);
  return JSON.parse(Buffer.concat(chunks).toString());
}

function sendJson(outgoing, value) {
  outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Says what went wrong, as workerd would: to the log in full, to the client in short. */
function fail(error, outgoing) {
  console.error(error.message ?? error);
  if (outgoing.headersSent) return outgoing.destroy();
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
  const text = `Uncaught exception in the Worker: ${lastLine(error)}\n`;
  return outgoing.writeHead(500, { "content-type": "text/plain" }).end(text);
}

function lastLine(error) {
  return String(error.message ?? error).trimEnd().split("\n").at(-1);
}

try {
  await main();
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
