import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Pages for readers: the Markdown files of the root, of docs/ and of examples/. */
const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md", "deploy/**/*.md"], { cwd: root }).sort();

const textOf = (path: string) => readFileSync(join(root, path), "utf8");

/** A page without its code, whose brackets and `#` are no links and headings. */
const proseOf = (path: string) => textOf(path).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(path).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

const anchors = new Map<string, ReadonlySet<string>>();
function hasAnchor(path: string, anchor: string): boolean {
  const known = anchors.get(path) ?? anchorsOf(path);
  anchors.set(path, known);
  return known.has(anchor);
}

/** Why a link of a page leads nowhere. Undefined: it leads somewhere, or to another host. */
function problemOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? page : join(dirname(page), file);
  if (!existsSync(join(root, path))) return `no file ${path}`;
  if (anchor === undefined) return undefined;
  if (statSync(join(root, path)).isDirectory()) return `${path} is a folder and has no anchor`;
  return hasAnchor(path, anchor) ? undefined : `${path} has no heading #${anchor}`;
}

describe("the links between pages", () => {
  it.each(pages)("lead to files and headings from %s", (page) => {
    const links = [...proseOf(page).matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.flatMap((link) => {
      const problem = problemOf(page, link);
      return problem === undefined ? [] : [`${link}: ${problem}`];
    });
    expect(broken).toEqual([]);
  });
});

it("has every page of docs/ in its index", () => {
  const index = textOf("docs/README.md");
  const others = pages.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  const missing = others.filter((page) => !index.includes(`](${page.slice("docs/".length)})`));
  expect(missing).toEqual([]);
});
