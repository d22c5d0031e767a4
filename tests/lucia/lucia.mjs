// Lucia v2 as an app in JavaScript has it, on a D1, for whoever writes to its standard input.
//
//   node tests/lucia/lucia.mjs [WORKER]
//
// Takes {"method", "args"}, a line each, and answers with {"result"} or {"error"}: any method of
// Lucia's `Auth`; `handle` for a whole request; `sql` for the database itself. D1 is Miniflare's, in
// memory; or that of the wasm tier's server at WORKER, through the door it has for tests.

import { createInterface } from "node:readline";

import { d1 } from "@lucia-auth/adapter-sqlite";
import { lucia } from "lucia";

import { startDatabase } from "../wasm/database.mjs";

/** D1's binding, as far as Lucia's adapter and these tests use it, by the harness's SQL door. */
class RemoteDatabase {
  constructor(url) {
    this.url = `${url}/__harness/sql`;
  }

  prepare(sql) {
    const statement = (params) => ({
      bind: (...values) => statement(values),
      all: () => this.#ask(sql, params),
      run: () => this.#ask(sql, params),
      first: async () => (await this.#ask(sql, params)).results[0] ?? null,
    });
    return statement([]);
  }

  async batch(statements) {
    return Array.fromAsync(statements, (statement) => statement.all());
  }

  async #ask(sql, params) {
    const response = await fetch(this.url, { method: "POST", body: JSON.stringify({ sql, params }) });
    if (response.ok) return response.json();
    const message = await response.text();
    throw new Error(message, { cause: new Error(message) });
  }
}

async function open(worker) {
  if (worker) return new RemoteDatabase(worker);
  const { database } = await startDatabase();
  return database;
}

const database = await open(process.argv[2]);
const auth = lucia({
  adapter: d1(database, { user: "user", key: "user_key", session: "user_session" }),
  env: "PROD",
  getUserAttributes: ({ username }) => ({ username }),
});

const OTHERS = {
  sql: async (sql, params) => (await database.prepare(sql).bind(...params).all()).results,
  handle: async (request) => {
    const cookies = [];
    const handle = auth.handleRequest({
      request: { ...request, headers: new Headers(request.headers) },
      setCookie: (cookie) => cookies.push(cookie.serialize()),
    });
    return { session: await handle.validate(), cookies };
  },
  cookie: (session) => auth.createSessionCookie(session).serialize(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line);
  try {
    const result = await (OTHERS[method] ?? auth[method])(...args);
    console.log(JSON.stringify({ result: result ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
process.exit(0);
