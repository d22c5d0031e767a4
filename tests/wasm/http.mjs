// Turns node's requests into Requests as workerd hands them over, and Responses into answers.
// Knows nothing of Python.

// What no Request can have (WHATWG Fetch, "forbidden method"); workerd answers these itself.
const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);
/** Bytes of a body that workerd hands out at once, unless it is told how many there is room for. */
const PIECE = 4096;
const BODYLESS = new Set(["GET", "HEAD"]);
const NULL_BODY_STATUSES = new Set([101, 103, 204, 205, 304]);

// What a test may say about how a request reached Cloudflare. The Worker does not see these.
const ORIGIN = "x-harness-origin";
const ADDRESS = "x-harness-address";
/** Says that nothing before the Worker resolved the path: workerd itself hands it on as it came. */
const RAW = "x-harness-raw";

const CF = { country: "DE", colo: "FRA", city: "Berlin", timezone: "Europe/Berlin", asn: 64496 };

/** Answers a request that never reaches a Worker. Returns whether it was one. */
export function refuse(incoming, outgoing) {
  if (!FORBIDDEN.has(incoming.method)) return false;
  outgoing.writeHead(501, { connection: "close" }).end(() => discard(incoming));
  return true;
}

/** Returns the Request that the Worker would see, its body a stream that is read on demand. */
export function readRequest(incoming) {
  const headers = readHeaders(incoming.rawHeaders);
  const { origin, host } = new URL(headers.get(ORIGIN) ?? `http://${headers.get("host")}`);
  headers.set("host", host);
  headers.set("cf-connecting-ip", headers.get(ADDRESS) ?? incoming.socket.remoteAddress);
  headers.delete(ORIGIN);
  headers.delete(ADDRESS);
  const isRaw = headers.has(RAW);
  headers.delete(RAW);
  const body = hasBody(incoming) ? streamOf(incoming) : null;
  const request = new Request(origin + incoming.url, {
    method: incoming.method,
    headers,
    body,
    redirect: "manual",
    ...(body && { duplex: "half" }),
  });
  if (isRaw) Object.defineProperty(request, "url", { value: origin + incoming.url });
  Object.defineProperty(request, "cf", { value: { ...CF }, enumerable: true });
  return request;
}

/** Joins a header's lines with a comma, cookies too: that is how workerd has them. */
function readHeaders(raw) {
  const headers = new Headers();
  for (let i = 0; i < raw.length; i += 2) {
    const before = headers.get(raw[i]);
    headers.set(raw[i], before === null ? raw[i + 1] : `${before}, ${raw[i + 1]}`);
  }
  return headers;
}

function hasBody({ method, headers }) {
  if (BODYLESS.has(method)) return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0;
}

/** Reads nothing ahead, so that a Worker that stops reading leaves the rest with the client. */
function streamOf(incoming) {
  return inPieces(incoming.iterator({ destroyOnReturn: false }));
}

/** Returns a stream of *chunks*, an iterator of bytes, in pieces as workerd hands them out. */
export function inPieces(chunks) {
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (!done) {
          for (let at = 0; at < value.length; at += PIECE) {
            controller.enqueue(new Uint8Array(value.subarray(at, at + PIECE)));
          }
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Sends *response*. Whatever the client still has to send afterwards is thrown away. */
export async function writeResponse(response, incoming, outgoing) {
  if (!(response instanceof Response)) {
    throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
  }
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, inUTF8(value));
  }
  const cookies = response.headers.getSetCookie().map(inUTF8);
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (!incoming.complete && hasBody(incoming)) outgoing.setHeader("connection", "close");
  outgoing.writeHead(response.status);
  if (incoming.method === "HEAD" || NULL_BODY_STATUSES.has(response.status)) {
    await response.body?.cancel();
  } else {
    await pipe(response.body, outgoing);
  }
  if (!incoming.complete) {
    outgoing.flushHeaders();
    await discard(incoming); // else node resets the connection of a client that still sends
  }
  outgoing.end();
}

/** Has node, which writes Latin-1, send *value* in UTF-8, as workerd does. */
function inUTF8(value) {
  return Buffer.from(value, "utf8").toString("latin1");
}

async function pipe(body, outgoing) {
  if (body === null) return;
  const reader = body.getReader();
  outgoing.on("close", () => reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done || outgoing.destroyed) return;
    if (!outgoing.write(value)) await drained(outgoing);
  }
}

/** Waits until more can be written, or nothing can any more. */
function drained(outgoing) {
  return new Promise((resolve) => outgoing.once("drain", resolve).once("close", resolve));
}

/** Reads the rest of what a client sends, for half a second at most. */
async function discard(incoming) {
  if (incoming.complete) return;
  incoming.resume();
  await new Promise((resolve) => {
    incoming.once("close", resolve);
    setTimeout(resolve, 500).unref();
  });
}
