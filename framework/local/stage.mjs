// Wrangler's [build] command: finds a Python and has it run stage.py. In JavaScript because node is
// the one thing that is sure to be there, on every system, with no environment activated.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("stage.py", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const pythons = [".venv", ".venv-workers"]
  .flatMap((folder) => [`${root}${folder}/bin/python`, `${root}${folder}/Scripts/python.exe`])
  .concat("python3", "python");

function isRecent(python) {
  const check = "import sys; sys.exit(sys.version_info < (3, 11))";
  return spawnSync(python, ["-I", "-c", check], { stdio: "ignore" }).status === 0;
}

const python = pythons.find(isRecent);
if (python === undefined) {
  console.error("kagari build: no Python 3.11 or newer here: `make dev` makes .venv");
  process.exit(1);
}
process.exit(spawnSync(python, ["-I", "-X", "utf8", script], { stdio: "inherit" }).status ?? 1);
