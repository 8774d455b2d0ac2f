import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { installed, isMissing } from "../interop/tools.ts";
import { startPlayground } from "./playground.ts";
import { blocksOf, expectPrinted } from "./printed.ts";

const root = new URL("../../", import.meta.url).pathname;
const page = readFileSync(join(root, "README.md"), "utf8");
const blocks = blocksOf(page);

/** Commands that other tests run: `.ci/run` begins with `npm ci`, and this test is one of `npm test`. */
const twoCommands = "npm ci && npm run demo";

it.skipIf(isMissing("grpcurl of the README", installed("bin/grpcurl")))(
  "prints what the README shows, for each of its commands",
  async () => {
    await using playground = await startPlayground();
    let played = 0;
    for (const [index, { language, text }] of blocks.entries()) {
      if (language !== "sh" || text.startsWith(twoCommands)) continue;
      const next = blocks[index + 1];
      const printed = await playground.play(text);
      if (next?.language === "text") expectPrinted(printed.output, next.text);
      else expect(printed, text).toMatchObject({ code: 0 });
      played++;
    }
    expect(played).toBeGreaterThanOrEqual(12);
  },
  120_000,
);

it("shows lines of the examples", () => {
  const shown = blocks.filter(({ language }) => language === "ts");
  expect(shown.length).toBeGreaterThan(0);
  const stream = readFileSync(join(root, "examples/typescript/stream.ts"), "utf8");
  for (const { text } of shown) expect(stream).toContain(text);
});

it("has scripts for the two commands on top", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [first] = blocks;
  expect(first?.text).toMatch(/^npm ci && npm run demo -- .*\nnpm ci && npm test .*\n$/);
  expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) });
});
