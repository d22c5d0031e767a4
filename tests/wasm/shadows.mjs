// What Pyodide's own code is given by these names, in workerd, instead of the globals: server.mjs sees to
// that. workerd patches the Pyodide that it downloads to the same ends.

import { env } from "cloudflare:workers";

import pyodideModule from "./pyodide.asm.wasm";
import standardLibrary from "./python_stdlib.zip";

const BAD_ENTROPY = 43;
const { Instance, Module } = globalThis.WebAssembly;

/** Where chance comes from and timers go to; inside.mjs has them lead to workerd's. */
export const now = {
  fill: (view) => view.fill(BAD_ENTROPY),
  isGlobalScope: true,
};

export const location = new URL("http://pyodide/");

/** Of what Pyodide asks for there, this is the one thing that it reads, and not as a Response: see below. */
export async function fetch() {
  return { ok: true, arrayBuffer: async () => standardLibrary };
}

export const crypto = { getRandomValues: (view) => now.fill(view) };

/** No Node, though workerd has much of it. */
export const process = undefined;
globalThis.process = undefined;

/** In global scope no timer may be set; what waits for no time is done as soon as can be. */
export function setTimeout(callback, delay, ...rest) {
  if (delay || !now.isGlobalScope) return globalThis.setTimeout(callback, delay, ...rest);
  queueMicrotask(callback);
  return 0;
}

/**
 * V8's, but what is bytes is compiled by the binding that workerd has for that, since V8 itself may not.
 * Nothing takes time: in global scope nothing can be waited for.
 */
export const WebAssembly = Object.create(globalThis.WebAssembly, {
  Module: { value: new Proxy(Module, { construct: (_, [bytes]) => compiled(bytes) }) },
  compile: { value: async (bytes) => compiled(bytes) },
  instantiate: {
    value: async (given, imports) => {
      return given instanceof Module ? new Instance(given, imports) : instantiated(compiled(given), imports);
    },
  },
  instantiateStreaming: { value: async (_, imports) => instantiated(pyodideModule, imports) },
});

function compiled(bytes) {
  return env.UNSAFE_EVAL.newWasmModule(new Uint8Array(bytes));
}

function instantiated(module, imports) {
  return { module, instance: new Instance(module, imports) };
}
