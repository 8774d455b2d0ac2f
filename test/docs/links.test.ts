import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { brokenLinksOf } from "./links.ts";

const root = resolve(import.meta.dirname, "../..");

/** Pages for readers: the Markdown files of the root, of docs/, examples/ and deploy/. */
const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md", "deploy/**/*.md"], { cwd: root }).sort();

it.each(pages)("has only links to files and headings in %s", (page) => {
  expect(brokenLinksOf(root, page)).toEqual([]);
});

it("has every page of docs/ in its index", () => {
  const index = readFileSync(join(root, "docs/README.md"), "utf8");
  const others = pages.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  const missing = others.filter((page) => !index.includes(`](${page.slice("docs/".length)})`));
  expect(missing).toEqual([]);
});
