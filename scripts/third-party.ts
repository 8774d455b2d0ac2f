import { existsSync, readFileSync } from "node:fs";

/** Text of the license that most packages without a file for it have. */
const apacheLicense = "node_modules/@grpc/grpc-js/LICENSE";

/**
 * Returns the licenses of the packages that have these modules, as they demand of a copy.
 *
 * @param modules absolute paths of the modules
 */
export function thirdPartyNotice(modules: readonly string[]): string {
  const modulesByFolder = Map.groupBy(modules, (path) => /.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const parts = [...modulesByFolder]
    .flatMap(([folder, paths]) => (folder === undefined ? [] : partOf(folder, paths)))
    .sort();
  return ["These packages are part of the files in this folder.", ...parts].join(`\n\n${"=".repeat(80)}\n\n`);
}

/** Returns the notice of a package: its license, and the texts on copyright in its modules. */
function partOf(folder: string, modules: readonly string[]): string {
  const { name, version, license }: Record<string, string> = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const own = `${folder}/LICENSE`;
  if (!existsSync(own) && !license?.includes("Apache-2.0")) throw new Error(`${name} has no text of its license`);
  const text = readFileSync(existsSync(own) ? own : apacheLicense, "utf8").trim();
  return [`${name} ${version}, ${license}`, ...new Set(modules.flatMap(copyrightsIn)), text].join("\n\n");
}

/** Returns the comments at the left margin of a module that have a copyright. */
function copyrightsIn(module: string): readonly string[] {
  const comments = readFileSync(module, "utf8").match(/^(?:\/\/.*\n)+|^\/\*[\s\S]*?\*\//gm) ?? [];
  return comments.filter((comment) => comment.includes("Copyright")).map((comment) => comment.trim());
}
