// Hashes with one set of parameters in a fresh Pyodide: MEMORY (KiB) PASSES TIMES.
//
//   node --experimental-wasm-jspi bench/argon2/argon2.mjs 19456 2 9
//
// Prints {"milliseconds": [...], "bytes_before", "bytes_after"}: the Worker's memory never shrinks,
// so what it has after is the most it had.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { loadBundle } from "../bundle.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

try {
  const [memory, passes, times] = process.argv.slice(2).map(Number);
  const { pyodide } = await loadBundle(join(HERE, "worker"));
  const { hash_once: hash } = pyodide.pyimport("worker");
  const before = pyodide._module.HEAP8.length;
  const milliseconds = [];
  for (let turn = 0; turn < times; turn += 1) {
    const started = performance.now();
    hash(memory, passes);
    milliseconds.push(performance.now() - started);
  }
  const after = pyodide._module.HEAP8.length;
  const report = { milliseconds, bytes_before: before, bytes_after: after };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(0);
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
