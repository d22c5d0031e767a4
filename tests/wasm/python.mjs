// Imports a Worker in a Pyodide that runs already, in the order that workerd does it. Knows neither
// Node nor workerd, and says nothing of where the files and the randomness come from.
//
// The order is workerd's own: refuse entropy, process the .pth files of the vendored modules, import
// the main module, find the class named Default. workerd's Python side of that is not imitated here:
// prepare.py takes it out of the installed runtime.

/** Where a Worker's own modules lie, those vendored with it, and the runtime's. */
export const BUNDLE = "/session/metadata";
export const MODULES = `${BUNDLE}/python_modules`;
export const RUNTIME = "/lib/python3.14/site-packages";

/** workerd's: it has no entropy to start with. */
export const ENVIRONMENT = { HOME: "/session", PYTHONHASHSEED: "111" };

const MAIN = "worker";
const EIO = 29;
const BAD_ENTROPY = 43;

/**
 * Imports `worker.py` and returns a function (context, env) => entrypoint, whose methods are called by
 * name. *chance* is a gate of `gateOf`; *freeze* takes away what is refused in global scope, and returns
 * what gives it back.
 */
export async function importWorker(pyodide, chance, freeze = () => () => {}) {
  registerRuntimeModules(pyodide);
  forgetRandomness(pyodide);
  pyodide.runPython(SET_UP_TOP_LEVEL);
  const release = freeze();
  const mainModule = await importMain(pyodide, chance).finally(release);
  const introspection = pyodide.pyimport("_cloudflare.introspection");
  checkDefault(introspection, mainModule);
  pyodide.runPython(CHECK_RANDOM_STATE);

  let requested = false;
  async function instantiate(context, env) {
    if (!requested) {
      requested = true;
      chance.allow();
      pyodide.runPython(SET_UP_FIRST_REQUEST);
    }
    const instance = await call(mainModule.Default, context, env);
    return {
      invoke: (name, ...args) =>
        call(introspection.wrapper_func, name === "fetch", instance, name, ...args),
    };
  }
  return { instantiate };
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

function importMain(pyodide, chance) {
  chance.refuse();
  return pyodide._module.API.pyodide_base.pyimport_impl.callPromising(MAIN);
}

/** Throws where workerd would find no class to make instances of. */
function checkDefault(introspection, mainModule) {
  const { workerEntrypoints } = introspection.collect_entrypoint_classes(mainModule);
  const found = workerEntrypoints.find(({ className }) => className === "Default");
  if (!found || typeof mainModule.Default !== "function") {
    const others = workerEntrypoints.map(({ className }) => className).join(", ") || "none";
    throw new TypeError(
      `The main module has no WorkerEntrypoint class that is named "Default", in the module and by ` +
        `its own __name__ (found: ${others})`,
    );
  }
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

const patched = new WeakSet();

/** Lets `ctx.waitUntil` take what Python awaits: the future must outlive the call. */
function patchWaitUntil(context) {
  if (patched.has(context)) return;
  patched.add(context);
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

/**
 * Returns a gate in front of *real*, which fills a view with chance. While it is shut, C's getentropy()
 * fails with EIO, which Python raises as an OSError; the calls that workerd's patches allow get its
 * constant. Needs the runtime's modules in place.
 */
export function gateOf(pyodide, real) {
  const { FS } = pyodide._module;
  const address = pyodide.runPython(
    "from _cloudflare.allow_entropy import ALLOWED_ENTROPY_CALLS as calls; calls.buffer_info()[0]",
  );
  let open = true;
  function fill(view, ...rest) {
    if (open) return real(view, ...rest);
    const { HEAP8 } = pyodide._module; // another view each time the memory has grown
    if (HEAP8[address] > 0) {
      HEAP8[address] -= 1;
      return view.fill(BAD_ENTROPY);
    }
    throw new FS.ErrnoError(EIO);
  }
  return { fill, refuse: () => (open = false), allow: () => (open = true) };
}

/** Writes *files*, pairs of a path and its bytes, to Pyodide's file system. */
export function write(pyodide, files) {
  for (const [path, bytes] of files) {
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    pyodide.FS.writeFile(path, bytes);
  }
  pyodide.runPython("import importlib; importlib.invalidate_caches()"); // a clock may stand still
}
