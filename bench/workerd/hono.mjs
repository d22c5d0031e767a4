// The Worker in JavaScript, with Hono, as its documentation writes one. Bundled by serve_hono.mjs.

import { Hono } from "hono";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";

const FIND_SESSION =
  "SELECT s.id AS s_id, s.user_id AS s_user_id, s.active_expires AS s_active_expires," +
  " s.idle_expires AS s_idle_expires, s.created_at AS s_created_at, u.id AS u_id," +
  " u.username AS u_username, u.role AS u_role FROM user_session s" +
  " JOIN user u ON u.id = s.user_id WHERE s.id = ?1";
const LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100";

const app = new Hono();

app.use(async (c, next) => {
  await next();
  c.header("x-content-type-options", "nosniff");
});

const authorized = createMiddleware(async (c, next) => {
  const token = getCookie(c, "__Host-auth_session");
  if (token?.length !== 40) throw new HTTPException(401, { message: "sign in first" });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const row = await c.env.DB.prepare(FIND_SESSION).bind(new Uint8Array(digest).toHex()).first();
  if (row === null || row.s_idle_expires <= Date.now()) {
    throw new HTTPException(401, { message: "sign in first" });
  }
  c.set("user", { id: row.u_id, username: row.u_username, role: row.u_role });
  await next();
  c.header("cache-control", "private, no-store");
  c.header("vary", "cookie");
});

const isNote = ({ title, body, tags }) =>
  typeof title === "string" && title.length > 0 && title.length <= 100 &&
  typeof body === "string" && body.length <= 10_000 &&
  Array.isArray(tags) && tags.length <= 10 && tags.every((tag) => typeof tag === "string");

const newNote = validator("json", (value, c) => (isNote(value) ? value : c.json({ error: "no note" }, 422)));

app.get("/users/:id{[0-9]+}", (c) => {
  const id = Number(c.req.param("id"));
  return c.json({ id, name: `user ${id}` });
});
app.get("/me", authorized, (c) => c.json(c.get("user")));
app.post("/notes", newNote, (c) => {
  const { title, body, tags } = c.req.valid("json");
  return c.json({ title, length: body.length, tags: tags.length });
});
app.get("/notes", async (c) => c.json((await c.env.DB.prepare(LIST_NOTES).all()).results));

// For whoever measures, as in tests/wasm/inside.mjs.
app.post("/__harness/sql", async (c) => {
  const { sql, params } = await c.req.json();
  return c.json(await c.env.DB.prepare(sql).bind(...params).all());
});

export default app;
