import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

it("keeps the commit in buf.baseline, so that no later change of the contract breaks clients", () => {
  const folder = resolve(import.meta.dirname, "..");
  const git = (...args: string[]) => spawnSync("git", args, { cwd: folder, encoding: "utf8" });
  // A folder without history, such as an unpacked archive, has nothing to compare.
  if (git("rev-parse", "--git-dir").status !== 0) return;
  expect(git("log", "--format=%H", "--", "buf.baseline").stdout.trim().split("\n").length).toBeLessThanOrEqual(1);
  expect(git("diff", "HEAD", "--stat", "--", "buf.baseline").stdout).toBe("");
});
