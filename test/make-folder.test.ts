import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeFolder } from "../src/make-folder.ts";

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it("makes a folder and those above it, and leaves one that exists", () => {
  const path = join(temporary(), "a/b/c");
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

it("throws if a file is in the way", () => {
  const file = join(temporary(), "file");
  writeFileSync(file, "");
  expect(() => makeFolder(file)).toThrow("EEXIST");
  expect(() => makeFolder(join(file, "a/b"))).toThrow("EEXIST");
});

it.runIf(process.platform === "linux")("throws where no folder can be made, instead of trying forever", () => {
  expect(() => makeFolder("/proc/none/a")).toThrow("ENOENT");
});
