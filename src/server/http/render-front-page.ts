/** Content of the page `/`. A service that requires API keys has only a name and a message. */
export interface FrontPage {
  readonly name: string;
  readonly message: string;
  readonly version?: string;
  /** Where the documentation is. */
  readonly documentation?: string;
  readonly grpc?: { readonly address: string; readonly tls: boolean; readonly example: string };
  readonly apis?: readonly { readonly name: string; readonly paths: readonly string[]; readonly example: string }[];
  readonly pages?: readonly { readonly path: string; readonly meaning: string }[];
}

export function renderText(page: FrontPage): string {
  const { documentation, grpc, apis = [], pages = [] } = page;
  const lines = [
    titleOf(page),
    "",
    page.message,
    ...(documentation ? [`Documentation: ${documentation}`] : []),
    ...(grpc ? ["", `gRPC: ${addressOf(grpc)}`, `  ${grpc.example}`] : []),
    ...apis.flatMap(({ name, paths, example }) => ["", `${name}: ${paths.join(", ")}`, `  ${example}`]),
    ...(pages.length > 0 ? ["", "Pages"] : []),
    ...pages.map(({ path, meaning }) => `  ${path.padEnd(10)}${meaning}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** The only styles of the page. The policy in its headers allows exactly this text. */
export const styles =
  "body{max-width:60rem;margin:2rem auto;padding:0 1rem;font-family:sans-serif}" +
  "pre{padding:.75rem;white-space:pre-wrap;overflow-wrap:anywhere;background:#8882}";

export function renderHtml(page: FrontPage): string {
  const { documentation, grpc, apis = [], pages = [] } = page;
  const section = (title: string, paths: readonly string[], example: string) =>
    `<h2>${escapeHtml(title)}</h2>\n<p>${paths.map((path) => `<code>${escapeHtml(path)}</code>`).join(", ")}</p>\n` +
    `<pre>${escapeHtml(example)}</pre>`;
  const parts = [
    `<h1>${escapeHtml(titleOf(page))}</h1>`,
    `<p>${escapeHtml(page.message)}</p>`,
    ...(documentation ? [`<p>Documentation: ${escapeHtml(documentation)}</p>`] : []),
    ...(grpc ? [section("gRPC", [addressOf(grpc)], grpc.example)] : []),
    ...apis.map(({ name, paths, example }) => section(name, paths, example)),
    ...(pages.length > 0 ? ["<h2>Pages</h2>", "<ul>"] : []),
    ...pages.map(
      ({ path, meaning }) => `<li><a href="${escapeHtml(path)}">${escapeHtml(path)}</a>: ${escapeHtml(meaning)}</li>`,
    ),
    ...(pages.length > 0 ? ["</ul>"] : []),
  ];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(page.name)}</title>
<style>${styles}</style></head>
<body>
${parts.join("\n")}
</body>
</html>
`;
}

function titleOf({ name, version }: FrontPage): string {
  return version === undefined ? name : `${name} ${version}`;
}

function addressOf({ address, tls }: NonNullable<FrontPage["grpc"]>): string {
  return `${address} (${tls ? "TLS" : "without TLS"})`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
