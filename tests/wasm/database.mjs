// Gives the Worker real bindings: Miniflare's D1, in memory or in a folder, its rate
// limiters and its `send_email`. Knows nothing of Python.

import { Miniflare } from "miniflare";

// Reached from outside workerd, the binding comes as a proxy without a class of its own. The Workers
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

/**
 * Starts D1, the rate limiters, each `{limit, period}` by its name, and what sends mails, and returns
 * the bindings, with a function that ends them.
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
      {
        config: {
          name: "database",
          compatibilityDate: date,
          env: {
            [binding]: { type: "d1", id: binding },
            EMAIL: { type: "send-email" },
            ...Object.fromEntries(limited),
          },
          manifest: {
            mainModule: "main.mjs",
            modules: { "main.mjs": { type: "esm", contents: "export default {}" } },
          },
        },
      },
    ],
  });
  const { [binding]: database, EMAIL: email, ...others } = await miniflare.getBindings();
  const stop = () => miniflare.dispose();
  return { database: new D1Database(database), email, limiters: others, stop };
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
