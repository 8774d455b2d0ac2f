import { execFileSync, spawnSync } from "node:child_process";

// Compares the protos with those of the main branch: callers have clients generated from them.

const against = ["origin/main", "main"].find((name) => revision(name) !== undefined);
if (against === undefined) {
  console.log("buf breaking: skipped, since this checkout has no main branch to compare with");
} else {
  const folder = execFileSync("git", ["rev-parse", "--path-format=absolute", "--git-common-dir"], { encoding: "utf8" });
  const input = `${folder.trim()}#ref=${revision(against)}`;
  const { status } = spawnSync("buf", ["breaking", "--against", input], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

function revision(name: string): string | undefined {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--verify", "--quiet", `${name}^{commit}`], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : undefined;
}
