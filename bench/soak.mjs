// Sends one Worker many guarded requests, and says what it holds after each part of them.
//
//   node --experimental-wasm-jspi --expose-gc bench/soak.mjs BUNDLE PARTS REQUESTS-OF-A-PART
//
// Prints a line of JSON for each part: Python's objects, JavaScript's that Python holds on to, bytes
// of the Worker's memory, bytes of the JavaScript heap, microseconds a request.

import { ExecutionContext } from "../tests/wasm/runtime.mjs";
import { loadBundle } from "./bundle.mjs";
import { CASES, makeDatabase } from "./worker/cases.mjs";

async function main() {
  const [bundle, parts, size] = process.argv.slice(2);
  const worker = await loadBundle(bundle);
  const env = { DB: makeDatabase() };
  for (let part = 0; part < Number(parts); part += 1) {
    const started = performance.now();
    for (let i = 0; i < Number(size); i += 1) {
      const entrypoint = await worker.instantiate(new ExecutionContext(), env);
      const request = CASES.guarded.make(i);
      const response = await entrypoint.invoke("fetch", request, undefined, undefined);
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
    }
    const took = (performance.now() - started) * 1000;
    const figures = { ...(await count(worker.pyodide)), microseconds: took / Number(size) };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
  process.exit(0);
}

async function count(pyodide) {
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 5)); // finalizers run between turns
    pyodide.runPython("import gc; gc.collect()");
  }
  const { _module } = pyodide;
  return {
    python_objects: pyodide.runPython("len(gc.get_objects())"),
    held_javascript_objects: _module._hiwire_num_refs(),
    worker_bytes: _module.HEAP8.length,
    javascript_bytes: process.memoryUsage().heapUsed,
  };
}

try {
  await main();
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
