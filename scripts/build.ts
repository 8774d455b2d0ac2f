import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { build, type ExternalOption, type Plugin } from "rolldown";
import { thirdPartyNotice } from "./third-party.ts";

// Bundles src/ to dist/, for the package: Node.js runs no TypeScript in node_modules, and loads few large files in much
// less time than a thousand small ones. Copies the data beside the bundles. Only the client has declarations, since
// nothing else can be imported.

/**
 * Packages that become part of the bundles: they have most of the modules that a start loads. The others are optional,
 * loaded when they are first needed, or find files by their own place. A bundled package needs a license text that
 * `thirdPartyNotice` finds.
 */
const bundledPackages = [
  "@bufbuild/cel",
  "@bufbuild/cel-spec",
  "@bufbuild/protobuf",
  "@bufbuild/protovalidate",
  "@bufbuild/re2",
  "@connectrpc/connect",
  "@connectrpc/connect-node",
  "@grpc/grpc-js",
  "@huggingface/jinja",
  "eventsource-parser",
  "kysely",
  "yaml",
  "zod",
];

const isBundled = (id: string) => bundledPackages.some((name) => id === name || id.startsWith(`${name}/`));
const isPackage = (id: string) => /^[@\w]/.test(id);

const root = "dragoman-dist:";

/** Lets each module find other files as if it were alone in a file of its own, at its place below src/. */
const keepPlaces: Plugin = {
  name: "keep-places",
  transform(code, id) {
    if (id.includes("/node_modules/") || !code.includes("import.meta.")) return undefined;
    const place = relative("src", id).replace(/\.ts$/, ".js");
    return code
      .replaceAll("import.meta.url", `new URL("${root}${place}", import.meta.url).href`)
      .replaceAll("import.meta.dirname", `import.meta.dirname + "/${root}${dirname(place)}"`);
  },
  renderChunk: (code, chunk) => code.replaceAll(root, `${relative(dirname(chunk.fileName), ".") || "."}/`),
};

/** Lets the bundler see what a module requires of a CommonJS package: yaml has 72 files, which take 40 ms to find. */
const bundleRequired: Plugin = {
  name: "bundle-required",
  transform(code, id) {
    const [, required = ""] = /\brequire\("(.+?)"\)/.exec(code) ?? [];
    if (id.includes("/node_modules/") || !isBundled(required)) return undefined;
    return code.replace(/^const require = createRequire\(.*\);$/m, "");
  },
};

/** Escapes characters outside of ASCII: V8 keeps the text of a file with one of them at two bytes for each character. */
const escapeCharacters: Plugin = {
  name: "escape-characters",
  generateBundle(_options, files) {
    for (const file of Object.values(files)) if (file.type === "chunk") file.code = escaped(file.code);
  },
};

function escaped(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Puts all providers into one part, since the registry loads them at once: else they would be 60 parts. */
const joinProviders: Plugin = {
  name: "join-providers",
  transform(code, id) {
    if (!id.endsWith("/src/providers/registry.ts")) return undefined;
    const paths = [...code.matchAll(/\bimport\("(.+)"\)/g)].map(([, path]) => path);
    const imports = paths.map((path, index) => `import * as provider${index} from "${path}";`);
    let index = 0;
    return imports.join("\n") + code.replaceAll(/\bimport\(".+"\)/g, () => `provider${index++}`);
  },
};

/**
 * Bundles a module with what it imports. What it imports on first use becomes a part of its own.
 *
 * @returns paths of the modules that the bundle contains
 */
async function bundle(main: string, external: ExternalOption): Promise<readonly string[]> {
  const { output } = await build({
    input: { [main]: `src/${main}.ts` },
    platform: "node",
    external,
    plugins: [bundleRequired, keepPlaces, joinProviders, escapeCharacters],
    transform: { target: "node22.19" },
    output: {
      dir: "dist",
      entryFileNames: "[name].js",
      chunkFileNames: `${main}-parts/[name].js`,
      keepNames: true,
      comments: { legal: true, annotation: false, jsdoc: false },
    },
  });
  return output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
}

rmSync("dist", { recursive: true, force: true });
// Threads and processes have bundles of their own, so that they load only what they use.
const mains = ["main", "store-worker", "tokens/counting-thread-main", "templates/template-process-main"];
const modules: string[] = [];
for (const main of mains) modules.push(...(await bundle(main, (id) => isPackage(id) && !isBundled(id))));
// A program that imports the client can share the packages with it.
await bundle("client/index", isPackage);
writeFileSync("dist/THIRD-PARTY.txt", thirdPartyNotice(modules));
execFileSync("tsc", ["--project", "tsconfig.client.json"], { stdio: "inherit" });
const data = globSync(["**/*.{json,lua,tokens,binpb}", "gen/**/*.d.ts"], { cwd: "src" });
for (const file of data) cpSync(`src/${file}`, `dist/${file}`);
