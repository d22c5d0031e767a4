// A D1 that answers at once from memory, so that what is timed is the Worker. Knows four statements' worth.
//
// It has D1's interface, its class names (by which the Workers SDK tells bindings) and its answers:
// a promise of {success, meta, results}, the rows made anew for each call as D1 parses them from JSON.

const META = { served_by: "memory", duration: 0.1, changes: 0, last_row_id: 0, changed_db: false };

class D1PreparedStatement {
  constructor(database, sql) {
    this.database = database;
    this.sql = sql;
  }

  bind(...values) {
    const bound = new D1PreparedStatement(this.database, this.sql);
    bound.values = values;
    return bound;
  }

  async all() {
    this.database.trips += 1;
    return this.answer();
  }

  async run() {
    return this.all();
  }

  async first(column) {
    const { results } = await this.all();
    if (results.length === 0) return null;
    return column === undefined ? results[0] : results[0][column];
  }

  answer() {
    return { success: true, meta: { ...META }, results: JSON.parse(this.database.rowsFor(this)) };
  }
}

/** What `env.DB` is. *tables* are [part of the SQL, rows as JSON], the first that fits answers. */
export class D1Database {
  trips = 0;

  constructor(tables) {
    this.tables = tables;
  }

  prepare(sql) {
    return new D1PreparedStatement(this, sql);
  }

  async batch(statements) {
    this.trips += 1;
    return Array.from(statements, (statement) => statement.answer());
  }

  rowsFor({ sql }) {
    const found = this.tables.find(([part]) => sql.includes(part));
    if (found === undefined) throw new Error(`D1_ERROR: no such table in: ${sql}`);
    return found[1];
  }
}
