import { execFileSync, spawnSync } from "node:child_process";

// Checks the protos for changes that break clients generated from the main branch.

const against = ["origin/main", "main"].find((name) => revision(name) !== undefined);
if (against === undefined) {
  console.log("buf breaking: skipped, because this clone has no main branch to compare with");
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
