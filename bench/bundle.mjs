// Loads a Worker to be measured, in the wasm tier's Pyodide. Knows nothing of what is measured.

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { loadWorker } from "../tests/wasm/runtime.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const CACHE = join(ROOT, ".cache/wasm");

/** Loads `worker.py` of the folder *bundle*; *packages* are folders that lie beside it. */
export function loadBundle(bundle, packages = []) {
  return loadWorker({
    bundle: resolve(bundle),
    modules: join(CACHE, "modules"),
    overlays: [join(ROOT, "tests/wasm/stand_in"), ...packages.map((folder) => resolve(folder))],
    runtime: join(CACHE, "runtime"),
  });
}
