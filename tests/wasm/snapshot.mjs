// Lists what a Worker holds of JavaScript once it is imported and could not be kept in a snapshot.
//
//   node --experimental-wasm-jspi tests/wasm/snapshot.mjs BUNDLE
//
// Prints a list. workerd keeps the memory of an uploaded Worker after its import: what Python holds of
// JavaScript then has to be globals, or what a path of names leads to from there. An upload with
// anything else is refused: "Can't serialize top-level variable."

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { loadWorker } from "./runtime.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = resolve(HERE, "../../.cache/wasm");

/** The names of what workerd hands to every Worker, and knows again. */
const HANDED_OUT = ["doAnImport", "python_request_headers_preserve_commas"];

const { pyodide } = await loadWorker({
  bundle: process.argv[2],
  modules: join(CACHE, "modules"),
  overlays: [join(HERE, "stand_in")],
  runtime: join(CACHE, "runtime"),
  snapshot: true,
});
const held = [];
pyodide._module.API.serializeHiwireState((object) => {
  if (!HANDED_OUT.some((name) => name in object)) held.push(Object.prototype.toString.call(object));
  return true;
});
process.stdout.write(`${JSON.stringify(held)}\n`);
process.exit(0);
