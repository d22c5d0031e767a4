// Imports one Worker in a fresh Pyodide and prints what its main module reports, as JSON.
//
//   node --experimental-wasm-jspi bench/startup/startup.mjs BUNDLE [PACKAGES]...

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { loadWorker } from "../../tests/wasm/runtime.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const CACHE = join(ROOT, ".cache/wasm");

try {
  const [bundle, ...packages] = process.argv.slice(2);
  const worker = await loadWorker({
    bundle: resolve(bundle),
    main: "worker.py",
    modules: join(CACHE, "modules"),
    overlays: [join(ROOT, "tests/wasm/stand_in"), ...packages.map((folder) => resolve(folder))],
    runtime: join(CACHE, "runtime"),
  });
  process.stdout.write(`${worker.pyodide.pyimport("worker").REPORT}\n`);
  process.exit(0);
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
