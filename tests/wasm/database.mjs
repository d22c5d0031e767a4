// Says what real bindings a Worker gets of Miniflare, and starts its D1 for what runs outside of workerd.
// Knows nothing of Python.

import { Miniflare } from "miniflare";

// Reached from outside workerd, a binding comes as a proxy without a class of its own. The Workers
// SDK tells bindings by the names of their classes, so these have D1's and pass everything on.

class D1PreparedStatement {
  #statement;

  constructor(statement) {
    this.#statement = statement;
  }

  bind(...values) {
    return new D1PreparedStatement(this.#statement.bind(...values));
  }

  first(...column) {
    return this.#statement.first(...column);
  }

  all() {
    return this.#statement.all();
  }

  run() {
    return this.#statement.run();
  }

  raw(...options) {
    return this.#statement.raw(...options);
  }

  static unwrap(statement) {
    return statement.#statement;
  }
}

class D1DatabaseSession {
  #database;

  constructor(database) {
    this.#database = database;
  }

  prepare(sql) {
    return new D1PreparedStatement(this.#database.prepare(sql));
  }

  batch(statements) {
    return this.#database.batch(Array.from(statements, D1PreparedStatement.unwrap));
  }

  getBookmark() {
    return this.#database.getBookmark();
  }
}

class D1Database extends D1DatabaseSession {
  #database;

  constructor(database) {
    super(database);
    this.#database = database;
  }

  exec(sql) {
    return this.#database.exec(sql);
  }

  withSession(constraint) {
    return new D1DatabaseSession(this.#database.withSession(constraint));
  }
}

/** As `wrangler.toml` has it. */
export const DATE = "2026-09-08";

const SERVICE_SOURCE = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { method, headers, url } = request;
    const told = { "x-told": method + " " + headers.get("x-asked") };
    return new Response(method === "GET" ? "fetched " + new URL(url).pathname : request.body, { headers: told });
  }
  given(...all) { return all.map((each) => each?.constructor?.name ?? String(each)) }
  kinds() { return { bytes: new Uint8Array([0, 255]), list: [1, { a: null }], nothing: null, date: new Date(1000) } }
  prepare(text) { return "prepared " + text }
  send({ to }) { return "sent to " + to }
}`;

/** Takes what is sent to it to Miniflare's own binding, and keeps those mails that this takes. */
const POST_SOURCE = `
import { WorkerEntrypoint } from "cloudflare:workers";
const mails = [];
export default class extends WorkerEntrypoint {
  async send(mail) {
    if (Object.getPrototypeOf(mail) !== Object.prototype) throw new TypeError("no plain object");
    const answer = await this.env.EMAIL.send(mail);
    mails.push(mail);
    return answer;
  }
  fetch() { return Response.json(mails) }
}`;

/** Returns a Worker of *source*, as Miniflare takes it. */
function worker(name, source, env = {}) {
  const manifest = {
    mainModule: "main.mjs",
    modules: { "main.mjs": { type: "esm", contents: source } },
  };
  return { config: { name, compatibilityDate: DATE, env, manifest } };
}

/** The Workers that the bindings SERVICE and EMAIL lead to. A binding of mails is a service, too. */
export const SERVICES = [
  worker("service", SERVICE_SOURCE),
  worker("post", POST_SOURCE, { EMAIL: { type: "send-email" } }),
];

/**
 * Returns the bindings of a Worker: D1 as *binding*, what sends mails, a service, a KV, an R2 bucket, a
 * queue, and *limiters*, `{limit, period}` by name.
 */
export function bindingsOf(binding, limiters) {
  const limited = Object.entries(limiters).map(([name, simple]) => [
    name,
    { type: "rate-limit", namespace: name, simple },
  ]);
  return {
    ...d1(binding),
    EMAIL: { type: "worker", worker: "post" },
    SERVICE: { type: "worker", worker: "service" },
    CACHE: { type: "kv", id: "cache" },
    FILES: { type: "r2", name: "files" },
    MAILS: { type: "queue", name: "mails" },
    ...Object.fromEntries(limited),
  };
}

function d1(binding) {
  return { [binding]: { type: "d1", id: binding } };
}

/** Starts D1 alone, in memory, and returns it, with a function that ends it. */
export async function startDatabase() {
  const miniflare = new Miniflare({
    cf: false,
    workers: [worker("database", "export default {}", d1("DB"))],
  });
  const { DB } = await miniflare.getBindings("database");
  return { database: new D1Database(DB), stop: () => miniflare.dispose() };
}

/** Runs a file of SQL, one statement after the other. */
export async function applySchema(database, sql) {
  for (const statement of splitStatements(sql)) await database.prepare(statement).run();
}

/** Returns the statements of a file that holds one per semicolon, and no semicolon elsewhere. */
export function splitStatements(sql) {
  return sql
    .replace(/--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter(Boolean);
}
