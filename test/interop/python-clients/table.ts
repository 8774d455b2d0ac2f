import { readFileSync } from "node:fs";
import { type EmbeddingClient, embeddingClients, type PythonClient, pythonClients } from "./clients.ts";

const apis = { chat: "chat completions", responses: "Responses", messages: "Messages" } as const;

const requirements = readFileSync(new URL("../python/requirements.txt", import.meta.url), "utf8");

/** Returns the name and version of a client's package, as the tests install it. */
function packageOf({ package: name }: Pick<PythonClient, "package">): string {
  const version = new RegExp(`^${name}==(\\S+)$`, "m").exec(requirements)?.[1];
  if (version === undefined) throw new Error(`requirements.txt has no version of ${name}`);
  return `\`${name}\` ${version}`;
}

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => "---")), ...rows].join("\n");

/** Makes the tables of the documentation: what the tests run of each client, and the reasons why not the rest. */
export function pythonTables(): string {
  const reasons: string[] = [];
  const cell = (entry: true | { readonly why: string; readonly unless?: string } | undefined): string => {
    if (entry === true || entry === undefined) return "yes";
    if (!reasons.includes(entry.why)) reasons.push(entry.why);
    return `no (${reasons.indexOf(entry.why) + 1})`;
  };
  const chats = pythonClients.map(({ holes, sendsBack, ...client }) =>
    row(
      ...[client.name, packageOf(client), apis[client.api], cell(holes.unary), cell(holes.stream), cell(holes.tools)],
      ...[cell(holes.structured), cell(holes.structured_by_tool), cell(holes.invalid), cell(holes.cut)],
      ...[cell(holes.cancel), cell(sendsBack.signature), cell(sendsBack.reasoning)],
    ),
  );
  const embeddings = embeddingClients.map((client: EmbeddingClient) =>
    row(client.name, packageOf(client), ...["yes", client.hasUsage ? "yes" : "no", "yes", "yes"]),
  );
  return [
    table(
      [
        ...[
          "client",
          "package",
          "API",
          "unary",
          "stream",
          "tools",
          "JSON of a schema",
          "JSON by a tool call",
          "errors",
        ],
        ...["broken stream", "cancel", "signatures sent back", "reasoning sent back"],
      ],
      chats,
    ),
    "",
    table(["client", "package", "vectors", "shows usage", "errors", "cancel"], embeddings),
    "",
    ...reasons.map((reason, index) => `${index + 1}. ${reason[0]?.toUpperCase()}${reason.slice(1)}.`),
  ].join("\n");
}
