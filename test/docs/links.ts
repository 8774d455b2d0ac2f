import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** A page without its code, whose brackets and `#` are no links and headings. */
function proseOf(root: string, path: string): string {
  return readFileSync(join(root, path), "utf8").replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(root: string, path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(root, path).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Why a link of a page leads nowhere. Undefined: it leads to a file below `root`, or to another host. */
function problemOf(root: string, page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? page : join(dirname(page), file);
  if (path.startsWith("..")) return `${path} is outside`;
  if (!existsSync(join(root, path))) return `no file ${path}`;
  if (anchor === undefined) return undefined;
  if (statSync(join(root, path)).isDirectory()) return `${path} is a folder and has no anchor`;
  return anchorsOf(root, path).has(anchor) ? undefined : `${path} has no heading #${anchor}`;
}

/** Returns the links of a Markdown page that lead nowhere, each with the reason. */
export function brokenLinksOf(root: string, page: string): readonly string[] {
  const links = [...proseOf(root, page).matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = ""]) => link);
  return links.flatMap((link) => {
    const problem = problemOf(root, page, link);
    return problem === undefined ? [] : [`${link}: ${problem}`];
  });
}
