import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileWatch } from "../../src/reload/file-watch.ts";
import { stateOf } from "../../src/reload/read-state.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Watches files. `next` resolves at the next change that it has not yet returned. */
async function watchFiles(paths: readonly string[], options: { pollMs?: number; reports?: boolean } = {}) {
  let changes = 0;
  let taken = 0;
  let notify = (): void => {};
  const watch = new FileWatch({
    ...options,
    onChange() {
      changes++;
      notify();
    },
  });
  onTestFinished(() => watch.close());
  await watch.setFiles(new Map(paths.map((path) => [path, stateOf(readFileSync(path))])));
  return {
    watch,
    count: () => changes,
    async next(): Promise<void> {
      taken++;
      while (changes < taken) await new Promise<void>((resolve) => (notify = resolve));
    },
  };
}

const writeByRename = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

describe.each([
  ["reports of the system", { pollMs: 600_000 }],
  ["looks at intervals", { pollMs: 20, reports: false }],
])("the watch of files by %s", (_name, options) => {
  it("sees a file that is written in place, replaced, deleted and written again", async () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "1");
    const { next, count } = await watchFiles([path], options);
    writeFileSync(path, "2");
    await next();
    writeByRename(path, "3");
    await next();
    rmSync(path);
    writeFileSync(path, "4");
    await next();
    expect(count()).toBe(3);
  });

  it("sees the links of a Kubernetes volume move to another folder", async () => {
    const folder = temporaryFolder();
    for (const [version, text] of ["one", "other"].entries()) {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, "file"), text);
    }
    symlinkSync("..0", join(folder, "..data"));
    symlinkSync("..data/file", join(folder, "file"));
    const { next, count } = await watchFiles([join(folder, "file")], options);
    symlinkSync("..1", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await next();
    // The volume's plugin deletes the former folder.
    rmSync(join(folder, "..0"), { recursive: true });
    writeFileSync(join(folder, "..1", "file"), "last");
    await next();
    expect(count()).toBe(2);
  });

  it("sees a file in a folder that is replaced", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "inner", "file");
    mkdirSync(join(folder, "inner"));
    writeFileSync(path, "1");
    const { next } = await watchFiles([path], options);
    renameSync(join(folder, "inner"), join(folder, "former"));
    mkdirSync(join(folder, "inner"));
    writeFileSync(path, "2");
    await next();
  });

  it("sees a change that came before the watch", async () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "2");
    const { watch, next } = await watchFiles([], options);
    await watch.setFiles(new Map([[path, stateOf(Buffer.from("1"))]]));
    await next();
  });

  it("ignores other files, the same content, and an empty or missing file", async () => {
    const folder = temporaryFolder();
    const [path, last] = [join(folder, "file"), join(folder, "last")];
    writeFileSync(path, "1");
    writeFileSync(last, "1");
    const { next, count } = await watchFiles([path, last], options);
    writeByRename(path, "1");
    writeFileSync(join(folder, "other"), "2");
    writeFileSync(path, "");
    writeFileSync(last, "2");
    await next();
    rmSync(path);
    writeFileSync(last, "3");
    await next();
    expect(count()).toBe(2);
  });
});
