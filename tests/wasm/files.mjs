// Finds what a Worker consists of, on this machine, and says where it lies in the Worker.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { BUNDLE, MODULES, RUNTIME } from "./python.mjs";

/** Returns pairs of a path in the Worker and the bytes there; of two with one path, the latter counts. */
export function filesOf({ bundle, modules, overlays, runtime }) {
  const vendored = [modules, ...overlays].flatMap((folder) => filesBelow(folder, MODULES));
  return [...filesBelow(runtime, RUNTIME), ...filesBelow(bundle, BUNDLE), ...vendored];
}

/** Returns such pairs of all files below *folder* but .pyc, which wrangler leaves out as well. */
export function filesBelow(folder, target) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".pyc"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [
      `${target}/${relative(folder, path).replaceAll("\\", "/")}`,
      new Uint8Array(readFileSync(path)),
    ]);
}
