// Serves the Worker of hono.mjs on workerd, as tests/wasm/server.mjs serves one in Python.
//
//   node bench/workerd/serve_hono.mjs
//
// Prints one line of JSON when it is ready: {"url", "raw_url"}. Ends with standard input.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { Miniflare } from "miniflare";

import { applySchema, DATE } from "../../tests/wasm/database.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const HOST = "127.0.0.1";

const entry = join(HERE, "hono.mjs");
const bundle = await build({ entryPoints: [entry], bundle: true, format: "esm", minify: true, write: false });
const manifest = {
  mainModule: "main.mjs",
  modules: { "main.mjs": { type: "esm", contents: bundle.outputFiles[0].text } },
};
const miniflare = new Miniflare({
  host: HOST,
  port: 0,
  cf: false,
  workers: [
    {
      config: { name: "hono", compatibilityDate: DATE, env: { DB: { type: "d1", id: "DB" } }, manifest },
      dev: { unsafeDirectSockets: [{ host: HOST, port: 0 }] },
    },
  ],
});
const url = await miniflare.ready;
const { DB } = await miniflare.getBindings("hono");
await applySchema(DB, readFileSync(join(HERE, "../../schema.sql"), "utf8"));
process.stdin.resume().on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
const raw = await miniflare.unsafeGetDirectURL("hono");
process.stdout.write(`${JSON.stringify({ url: url.origin, raw_url: raw.origin })}\n`);
