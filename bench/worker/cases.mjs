// The five requests that are timed, and what a right answer to each is. Knows no Worker.

import { createHash } from "node:crypto";

import { D1Database } from "./database.mjs";
import SENT from "./sent.json" with { type: "json" };

const { browser, host, kept, posted: NOTE, rows: ROWS, token: TOKEN, user: USER } = SENT;
const ORIGIN = `https://${host}`;
const NOW = Date.now();
const DAY = 24 * 3600 * 1000;

const BROWSER = { ...browser, host, referer: `${ORIGIN}/`, "x-forwarded-proto": "https" };
const COOKIE = { cookie: `theme=dark; __Host-auth_session=${TOKEN}` };

const ROW = (id) => ({
  id,
  user_id: USER.id,
  title: `Note number ${id}`,
  body: kept,
  created_at: NOW - id * 1000,
  updated_at: NOW,
});
const NOTES = Array.from({ length: ROWS }, (_, index) => ROW(index + 1));

/** Returns a database that holds one session, its user and a hundred notes. */
export function makeDatabase() {
  const session = {
    id: createHash("sha256").update(TOKEN).digest("hex"),
    user_id: USER.id,
    active_expires: NOW + DAY,
    idle_expires: NOW + 14 * DAY,
    created_at: NOW - DAY,
    authenticated_at: NOW - DAY,
    user_agent: BROWSER["user-agent"],
    country: "DE",
    last_seen_at: NOW, // less than an hour ago: nothing is written
  };
  const joined = {};
  for (const [name, value] of Object.entries(session)) joined[`s_${name}`] = value;
  for (const [name, value] of Object.entries(USER)) joined[`u_${name}`] = value;
  return new D1Database([
    ["FROM user_session", JSON.stringify([joined])],
    ["FROM note", JSON.stringify(NOTES)],
  ]);
}

/** Each case: how its request number *index* is made, and what has to come back. */
export const CASES = {
  public: {
    make: (index) => get(`/users/${1000 + (index % 4096)}`),
    expect: (index) => ({ id: 1000 + (index % 4096), name: `user ${1000 + (index % 4096)}` }),
    trips: 0,
  },
  guarded: {
    make: () => get("/me", COOKIE),
    expect: () => USER,
    trips: 1,
  },
  body: {
    make: () => post("/notes", JSON.stringify(NOTE)),
    expect: () => ({ title: NOTE.title, length: NOTE.body.length, tags: NOTE.tags.length }),
    trips: 0,
    once: true, // a body is read once
  },
  rows: {
    make: () => get("/notes"),
    expect: () => NOTES,
    trips: 1,
  },
  asked: {
    make: () => get("/asked"), // the same statement, its rows left in JavaScript
    expect: () => ({ asked: true }),
    trips: 1,
  },
};

/** Requests that must be refused, so that nobody is quick for want of a check: [request, status]. */
export const REFUSED = [
  [() => get("/users/1.5"), [404, 422, 400]],
  [() => get("/nothing"), [404]],
  [() => get("/me"), [401]],
  [() => get("/me", { cookie: "__Host-auth_session=short" }), [401]],
  [() => post("/notes", "{"), [400, 422]],
  [() => post("/notes", JSON.stringify({ ...NOTE, title: 1 })), [400, 422]],
];

function get(path, headers = {}) {
  return new Request(ORIGIN + path, { headers: { ...BROWSER, ...headers } });
}

function post(path, body) {
  const headers = {
    ...BROWSER,
    origin: ORIGIN,
    "content-type": "application/json",
    "content-length": String(body.length),
  };
  return new Request(ORIGIN + path, { method: "POST", headers, body });
}
