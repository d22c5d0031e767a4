// What workerd runs of the wasm tier: npm's Pyodide in place of the one that workerd would download.
//
// Python is started in global scope, so what workerd refuses there it refuses here. workerd itself
// compiles the modules of WebAssembly that Pyodide loads, through the binding it has for that.
//
// Of its own it answers, for tests that must reach behind the Worker:
//   POST /__harness/sql    {"sql", "params"?}  the result of D1's all(), or what is wrong
//   POST /__harness/mails  {}                  what was sent through the binding EMAIL, in order

import { WorkerEntrypoint } from "cloudflare:workers";

import files from "./files.bin";
import places from "./files.json";
import createPyodideModule from "./pyodide.asm.mjs";
import { loadPyodide } from "./pyodide.mjs";
import lockFileContents from "./pyodide-lock.json";
import { ENVIRONMENT, gateOf, importWorker, write } from "./python.mjs";
import { location, now } from "./shadows.mjs";

const worker = await start();
now.isGlobalScope = false;

async function start() {
  const pyodide = await loadPyodide({
    createPyodideModule,
    env: ENVIRONMENT,
    indexURL: location.href,
    lockFileContents,
    stdout: (line) => console.log(line),
    stderr: (line) => console.error(line),
  });
  const slices = Object.entries(places);
  write(pyodide, slices.map(([path, at]) => [path, new Uint8Array(files.slice(...at))]));
  const chance = gateOf(pyodide, (view) => crypto.getRandomValues(view));
  now.fill = chance.fill;
  return importWorker(pyodide, chance);
}

/** Has what fails after the answer logged, as `wrangler dev` does: workerd tells its inspector alone. */
function watched(context) {
  const waitUntil = context.waitUntil.bind(context);
  context.waitUntil = (work) => {
    waitUntil(work);
    Promise.resolve(work).catch((error) => console.error("waitUntil:", error.message ?? error));
  };
  return context;
}

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/__harness/sql") return query(this.env, request);
    if (pathname === "/__harness/mails") return this.env.EMAIL.fetch(request);
    return this.#invoke("fetch", request, undefined, undefined);
  }

  async scheduled(controller) {
    return this.#invoke("scheduled", controller, undefined, undefined);
  }

  async queue(batch) {
    return this.#invoke("queue", batch, undefined, undefined);
  }

  async #invoke(name, ...args) {
    try {
      const { UNSAFE_EVAL: _, ...env } = this.env;
      const entrypoint = await worker.instantiate(watched(this.ctx), env);
      return await entrypoint.invoke(name, ...args);
    } catch (error) {
      console.error(error.message ?? error); // workerd logs what it was thrown, without the traceback
      throw error;
    }
  }
}

async function query(env, request) {
  const { sql, params = [] } = await request.json();
  try {
    return Response.json(await env[env.HARNESS_DATABASE].prepare(sql).bind(...params).all());
  } catch (error) {
    return new Response(error.message, { status: 500 });
  }
}
