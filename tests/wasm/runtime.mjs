// Loads a staged Worker under Pyodide the way workerd does. Knows nothing of HTTP or of D1.
//
// The order of things is workerd's own: refuse entropy, mount the bundle and the vendored modules,
// process their .pth files, import the main module, find the class named Default. workerd's Python
// side of that is not imitated here: prepare.py takes it out of the installed runtime.
//
// Some things differ, and can't be helped: no snapshot is taken, memory and time have no limit, and
// what belongs to one request (a stream, a response) can be used in another.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";

import { loadPyodide } from "pyodide";

const BUNDLE = "/session/metadata";
const MODULES = `${BUNDLE}/python_modules`;
const EIO = 29;

/** What handlers get as `ctx`. Keeps what they asked to have finished after the response. */
export class ExecutionContext {
  pending = [];
  props = {};

  get [Symbol.toStringTag]() {
    return "ExecutionContext";
  }

  waitUntil(promise) {
    const work = Promise.resolve(promise);
    work.catch(() => {}); // told of by `settled`, and no end of the process before
    this.pending.push(work);
  }

  passThroughOnException() {}

  /** Waits for all of it, and for what that in turn asked for. Returns the failures. */
  async settled() {
    const failures = [];
    while (this.pending.length > 0) {
      const results = await Promise.allSettled(this.pending.splice(0));
      failures.push(...results.filter(({ status }) => status === "rejected"));
    }
    return failures.map(({ reason }) => reason);
  }
}

/**
 * Returns a function (context, env) => entrypoint, whose methods are called by name.
 *
 * *globals* stand in for those of the same name, for Python alone. With *snapshot*, Pyodide keeps the
 * paths that lead to what Python holds of JavaScript.
 */
export async function loadWorker(options) {
  const { bundle, main, modules, overlays, runtime, globals = {}, snapshot = false } = options;
  if (!("promising" in WebAssembly)) {
    throw new Error("workerd switches stacks; run node with --experimental-wasm-jspi");
  }
  const started = performance.now();
  const pyodide = await loadPyodide({
    env: { HOME: "/session", PYTHONHASHSEED: "111" }, // workerd's: it has no entropy to start with
    jsglobals: globalsForPython(globals),
    _makeSnapshot: snapshot,
    stdout: (line) => console.error(line),
    stderr: (line) => console.error(line),
  });
  const loaded = performance.now();

  mount(pyodide, runtime, "/lib/python3.14/site-packages");
  mount(pyodide, bundle, BUNDLE);
  for (const folder of [modules, ...overlays]) mount(pyodide, folder, MODULES);
  registerRuntimeModules(pyodide);
  forgetRandomness(pyodide);

  const entropy = guardEntropy(pyodide);
  pyodide.runPython(SET_UP_TOP_LEVEL);
  const importing = performance.now();
  const mainModule = await importMain(pyodide, main, entropy);
  const imported = performance.now();
  const introspection = pyodide.pyimport("_cloudflare.introspection");
  const methods = findDefault(introspection, mainModule);
  pyodide.runPython(CHECK_RANDOM_STATE);

  let requested = false;
  async function instantiate(context, env) {
    if (!requested) {
      requested = true;
      entropy.allow();
      pyodide.runPython(SET_UP_FIRST_REQUEST);
    }
    const instance = await call(mainModule.Default, context, env);
    return {
      methods,
      invoke: (name, ...args) =>
        call(introspection.wrapper_func, name === "fetch", instance, name, ...args),
    };
  }
  const times = { pyodide_ms: loaded - started, import_ms: imported - importing };
  return { instantiate, methods, times, version: pyodide.version, pyodide };
}

const SET_UP_TOP_LEVEL = `
import sys
from site import addsitedir
from _cloudflare.entropy_patches import before_top_level
before_top_level()
place = next(i for i, path in enumerate(sys.path) if "site-packages" in path)
sys.path[place:place] = ["${BUNDLE}", "${MODULES}"]
addsitedir("${MODULES}")
del addsitedir, before_top_level, place
`;

// workerd asks this of the snapshot it takes when a Worker is uploaded.
const CHECK_RANDOM_STATE = `
from _cloudflare.import_patch_manager import after_snapshot_handlers
for handler in after_snapshot_handlers:
    handler()
`;

const SET_UP_FIRST_REQUEST = `
from _cloudflare.entropy_patches import before_first_request
before_first_request()
`;

// Pyodide's own start has imported these already; workerd's patches want to see them come in.
const SEEDED = ["_random", "random", "tempfile", "secrets", "uuid"];

function forgetRandomness(pyodide) {
  const names = pyodide.toPy(SEEDED);
  pyodide.globals.set("seeded", names);
  pyodide.runPython("import sys\nfor name in seeded: sys.modules.pop(name, None)\ndel seeded");
  names.destroy();
}

/** Calls a Python function as workerd does: it may wait, and its result comes back as JavaScript. */
function call(callable, ...args) {
  return callable.callWithOptions({ promising: true }, ...args);
}

async function importMain(pyodide, main, entropy) {
  const name = main.replace(/\.py$/, "");
  const { pyimport_impl } = pyodide._module.API.pyodide_base;
  const release = freezeGlobals(entropy);
  try {
    return await pyimport_impl.callPromising(name);
  } finally {
    release();
  }
}

function findDefault(introspection, mainModule) {
  const { workerEntrypoints } = introspection.collect_entrypoint_classes(mainModule);
  const found = workerEntrypoints.find(({ className }) => className === "Default");
  if (!found || typeof mainModule.Default !== "function") {
    const others = workerEntrypoints.map(({ className }) => className).join(", ") || "none";
    throw new TypeError(
      `The main module has no WorkerEntrypoint class that is named "Default", in the module and by ` +
        `its own __name__ (found: ${others})`,
    );
  }
  return found.methodNames;
}

function registerRuntimeModules(pyodide) {
  pyodide.loadPackage = () => {
    throw new Error("pyodide.loadPackage is disabled");
  };
  pyodide.registerJsModule("_cloudflare_compat_flags", {
    python_request_headers_preserve_commas: true,
    python_workflows_implicit_dependencies: true,
  });
  pyodide.registerJsModule("_pyodide_entrypoint_helper", {
    cloudflareSocketsModule: {},
    cloudflareWorkersModule: {},
    doAnImport: (name) => import(name),
    patchWaitUntil,
  });
}

/** Lets `ctx.waitUntil` take what Python awaits: the future must outlive the call. */
function patchWaitUntil(context) {
  const original = context.waitUntil.bind(context);
  context.waitUntil = (promise) => original(keep(promise));
}

async function keep(promise) {
  const kept = "copy" in promise ? promise.copy() : promise;
  try {
    await kept;
  } finally {
    kept.destroy?.();
  }
}

/** Copies a folder into Pyodide's file system: no .pyc, as wrangler leaves those out as well. */
function mount(pyodide, folder, target) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".pyc")) continue;
    const source = join(entry.parentPath, entry.name);
    const path = `${target}/${relative(folder, source).replaceAll("\\", "/")}`;
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    pyodide.FS.writeFile(path, new Uint8Array(readFileSync(source)));
  }
}

// --- What a Worker may not do before its first request -------------------------------------------

/**
 * Puts a gate where Pyodide takes its randomness from. While it is shut, C's getentropy() fails with
 * EIO, which Python raises as an OSError; the calls that workerd's patches allow get its constant.
 */
function guardEntropy(pyodide) {
  const { FS } = pyodide._module;
  const address = pyodide.runPython(
    "from _cloudflare.allow_entropy import ALLOWED_ENTROPY_CALLS as calls; calls.buffer_info()[0]",
  );
  const crypto = createRequire(import.meta.url)("node:crypto");
  const real = crypto.randomFillSync;
  let open = true;
  crypto.randomFillSync = (view, ...rest) => {
    if (open) return real(view, ...rest);
    const { HEAP8 } = pyodide._module; // another view each time the memory has grown
    if (HEAP8[address] > 0) {
      HEAP8[address] -= 1;
      return view.fill(43);
    }
    throw new FS.ErrnoError(EIO);
  };
  return {
    refuse: () => (open = false),
    allow: () => (open = true),
  };
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
function freezeGlobals(entropy) {
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
  replace(Math, "random", refuse);
  replace(Date, "now", () => 0);
  entropy.refuse();
  return () => {
    for (const undo of originals.reverse()) undo();
  };
}
