// Imports one Worker in a fresh Pyodide and prints what its main module reports, as JSON.
//
//   node --experimental-wasm-jspi bench/startup/startup.mjs BUNDLE [PACKAGES]...

import { loadBundle } from "../bundle.mjs";

try {
  const [bundle, ...packages] = process.argv.slice(2);
  const worker = await loadBundle(bundle, packages);
  process.stdout.write(`${worker.pyodide.pyimport("worker").REPORT}\n`);
  process.exit(0);
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
