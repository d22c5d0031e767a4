// Gives the Worker a real D1: Miniflare's, in memory or in a folder. Knows nothing of Python.

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

/** Starts D1 and returns its binding, with a function that ends it. */
export async function startDatabase({ binding, date, folder }) {
  const miniflare = new Miniflare({
    cf: false,
    ...(folder && { resourcePersistencePath: folder }),
    workers: [
      {
        config: {
          name: "database",
          compatibilityDate: date,
          env: { [binding]: { type: "d1", id: binding } },
          manifest: {
            mainModule: "main.mjs",
            modules: { "main.mjs": { type: "esm", contents: "export default {}" } },
          },
        },
      },
    ],
  });
  const database = new D1Database(await miniflare.getD1Database(binding));
  return { database, stop: () => miniflare.dispose() };
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
