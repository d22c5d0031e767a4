// Runs batches on real D1, and says what D1 would bill. Knows nothing of Python.
//
//   node tests/wasm/billing.mjs SCHEMA
//
// Each line of standard input is a batch, [[sql, [value, …]], …]; each line of output is what it
// answered, [{rows, changes, rows_read, rows_written}, …] or {error}. Ends with standard input.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { applySchema, startDatabase } from "./database.mjs";

const { database, stop } = await startDatabase();
await applySchema(database, readFileSync(process.argv[2], "utf8"));

async function run(batch) {
  try {
    const results = await database.batch(
      batch.map(([sql, values]) => database.prepare(sql).bind(...values)),
    );
    return results.map(({ results: rows, meta: { changes, rows_read, rows_written } }) => ({
      rows,
      changes,
      rows_read,
      rows_written,
    }));
  } catch (error) {
    return { error: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))));
}
await stop();
