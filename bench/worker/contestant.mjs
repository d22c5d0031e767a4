// Runs one Worker and times its requests, when asked. Knows nothing of the others.
//
//   node --experimental-wasm-jspi bench/worker/contestant.mjs BUNDLE [PACKAGES]...
//
// Checks every answer first and prints {"pyodide", "import_ms"}. Then, for each line of standard
// input, `CASE SECONDS`, prints {"ns", "requests", "trips"}: the nanoseconds of one request. Ends
// with standard input.

import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import { ExecutionContext } from "../../tests/wasm/runtime.mjs";
import { loadBundle } from "../bundle.mjs";
import { CASES, makeDatabase, REFUSED } from "./cases.mjs";

const CHUNK = 64;

async function main() {
  const [bundle, ...packages] = process.argv.slice(2);
  const worker = await loadBundle(bundle, packages);
  const database = makeDatabase();
  const fetch = makeFetch(worker, { DB: database });
  await verify(fetch, database);
  print({ pyodide: worker.version, ...worker.times });
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, seconds] = line.split(" ");
    print(await time(fetch, database, CASES[name], Number(seconds)));
  }
  process.exit(0);
}

/** Returns what workerd does with a request: a fresh context and instance, one call. */
export function makeFetch(worker, env) {
  return async (request) => {
    const entrypoint = await worker.instantiate(new ExecutionContext(), env);
    return entrypoint.invoke("fetch", request, undefined, undefined);
  };
}

async function verify(fetch, database) {
  for (const [name, { make, expect, trips }] of Object.entries(CASES)) {
    for (const index of [0, 1, 4095]) {
      const before = database.trips;
      const response = await fetch(make(index));
      const text = await response.text();
      const isJSON = response.headers.get("content-type")?.startsWith("application/json");
      const isRight = isJSON && isDeepStrictEqual(JSON.parse(text), expect(index));
      if (response.status !== 200 || !isRight || database.trips - before !== trips) {
        throw new Error(`${name} is answered wrongly: ${response.status} ${text.slice(0, 300)}`);
      }
    }
  }
  for (const [make, statuses] of REFUSED) {
    const request = make();
    const response = await fetch(request);
    if (!statuses.includes(response.status)) {
      const text = await response.text();
      throw new Error(`${request.method} ${request.url} is not refused: ${response.status} ${text}`);
    }
  }
}

const POOLS = new Map();

/** Returns *count* requests; those without a body are made once and sent again. */
function requests(item, start, count) {
  if (item.once) return Array.from({ length: count }, (_, index) => item.make(start + index));
  if (!POOLS.has(item)) POOLS.set(item, Array.from({ length: 4096 }, (_, i) => item.make(i)));
  return Array.from({ length: count }, (_, index) => POOLS.get(item)[(start + index) % 4096]);
}

async function time(fetch, database, item, seconds) {
  const trips = database.trips;
  const end = seconds * 1e9;
  let [elapsed, done] = [0, 0];
  while (elapsed < end) {
    const batch = requests(item, done, CHUNK);
    const started = process.hrtime.bigint();
    for (const request of batch) await fetch(request);
    elapsed += Number(process.hrtime.bigint() - started);
    done += CHUNK;
  }
  return { ns: elapsed / done, requests: done, trips: (database.trips - trips) / done };
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

try {
  await main();
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
