import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

// Checks the protos for changes that break clients: compares them with the commit in `buf.baseline`, the contract's
// last breaking revision. That file never changes again.

const baseline = readFileSync("buf.baseline", "utf8").trim();
const isKnown = spawnSync("git", ["cat-file", "-e", `${baseline}^{commit}`], { stdio: "ignore" }).status === 0;
if (isKnown) {
  const folder = execFileSync("git", ["rev-parse", "--path-format=absolute", "--git-common-dir"], { encoding: "utf8" });
  const { status } = spawnSync("buf", ["breaking", "--against", `${folder.trim()}#ref=${baseline}`], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} else {
  console.log(`buf breaking: skipped, because this clone does not have the commit ${baseline} of buf.baseline`);
}
