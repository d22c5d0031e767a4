// Gives the Worker real bindings: Miniflare's D1, in memory or in a folder, its rate
// limiters, its `send_email`, a service, a KV, an R2 bucket and a queue. Knows nothing of Python.

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

const METHODS = {
  KvNamespace: ["get", "getWithMetadata", "put", "list", "delete"],
  R2Bucket: ["head", "get", "put", "list", "delete"],
  WorkerQueue: ["send", "sendBatch"],
};

/** Returns *binding* as one of the class *name*, which passes everything on. */
function asInstance(name, binding) {
  const { [name]: Class } = { [name]: class {} };
  for (const method of METHODS[name]) {
    Class.prototype[method] = (...args) => binding[method](...args);
  }
  return new Class();
}

class Fetcher {
  get [Symbol.toStringTag]() {
    return "Fetcher";
  }
}

/**
 * Returns *binding* as workerd has a service: every name but `then` is there, and is a function. Only
 * when it is called is the other Worker asked whether it has such a method. `fetch` needs its `this`.
 */
export function asFetcher(binding) {
  const service = new Proxy(new Fetcher(), {
    get(target, name) {
      if (typeof name === "symbol" || name === "constructor") return Reflect.get(target, name);
      if (name === "then") return undefined;
      return async function (...args) {
        if (name === "fetch" && this !== service) throw new TypeError("Illegal invocation");
        return binding[name](...args);
      };
    },
    has: (target, name) => (typeof name === "symbol" ? name in target : name !== "then"),
  });
  return service;
}

const SERVICE = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  fetch(request) { return new Response("fetched " + new URL(request.url).pathname) }
  prepare(text) { return "prepared " + text }
  send({ to }) { return "sent to " + to }
}`;

/** Returns a Worker of *source*, as Miniflare takes it. */
function worker(name, compatibilityDate, source, env = {}) {
  const manifest = {
    mainModule: "main.mjs",
    modules: { "main.mjs": { type: "esm", contents: source } },
  };
  return { config: { name, compatibilityDate, env, manifest } };
}

/**
 * Starts D1, the rate limiters, each `{limit, period}` by its name, what sends mails, a service, and
 * as `stores` a KV, an R2 bucket and a queue. Returns the bindings, with a function that ends them.
 * What sends mails and the service are as Miniflare has them.
 */
export async function startBindings({ binding, date, folder, limiters = {} }) {
  const limited = Object.entries(limiters).map(([name, simple]) => [
    name,
    { type: "rate-limit", namespace: name, simple },
  ]);
  const miniflare = new Miniflare({
    cf: false,
    ...(folder && { resourcePersistencePath: folder }),
    workers: [
      worker("database", date, "export default {}", {
        [binding]: { type: "d1", id: binding },
        EMAIL: { type: "send-email" },
        SERVICE: { type: "worker", worker: "service" },
        CACHE: { type: "kv", id: "cache" },
        FILES: { type: "r2", name: "files" },
        MAILS: { type: "queue", name: "mails" },
        ...Object.fromEntries(limited),
      }),
      worker("service", date, SERVICE),
    ],
  });
  const bindings = await miniflare.getBindings("database");
  const { [binding]: database, EMAIL: email, SERVICE: service, CACHE, FILES, MAILS, ...others } =
    bindings;
  const stores = {
    CACHE: asInstance("KvNamespace", CACHE),
    FILES: asInstance("R2Bucket", FILES),
    MAILS: asInstance("WorkerQueue", MAILS),
  };
  const stop = () => miniflare.dispose();
  return { database: new D1Database(database), email, service, stores, limiters: others, stop };
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
