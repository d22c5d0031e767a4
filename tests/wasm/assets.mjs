// Says who answers a request where Cloudflare's static assets stand before a Worker. Knows nothing of Python.
//
//   node tests/wasm/assets.mjs FOLDER
//
// Each line of standard input is [assets, requests]: a table of wrangler.toml without its directory, which
// is FOLDER, and [[method, path, mode], …]. Each line of output is what was answered to those, [who, …]:
// "app", or the status that the assets answered with. Ends with standard input.

import { request } from "node:http";
import { createInterface } from "node:readline";

import { Miniflare } from "miniflare";

import { DATE } from "./database.mjs";

const APP = 'export default { fetch: () => new Response("app", { headers: { "x-app": "1" } }) };';

/** Returns a server of the app behind the files of *directory*. */
function serve({ not_found_handling, run_worker_first, html_handling }, directory) {
  const given = { notFoundHandling: not_found_handling, runWorkerFirst: run_worker_first, htmlHandling: html_handling };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const config = {
    name: "worker",
    compatibilityDate: DATE,
    assets: { directory, hasUserWorker: true, ...named },
    manifest: { mainModule: "app.mjs", modules: { "app.mjs": { type: "esm", contents: APP } } },
  };
  return new Miniflare({ host: "127.0.0.1", port: 0, cf: false, workers: [{ config }] });
}

/** Returns who answered; `fetch` would say another mode. */
function ask(url, [method, path, mode]) {
  return new Promise((resolve, reject) => {
    const answered = (answer) => {
      resolve("x-app" in answer.headers ? "app" : answer.statusCode);
      answer.resume();
    };
    const headers = { "sec-fetch-mode": mode };
    request(new URL(path, url), { method, headers }, answered).on("error", reject).end();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const [assets, requests] = JSON.parse(line);
  const miniflare = serve(assets, process.argv[2]);
  const url = await miniflare.ready;
  const answers = [];
  for (const each of requests) answers.push(await ask(url, each));
  await miniflare.dispose();
  console.log(JSON.stringify(answers));
}
process.exit(0);
