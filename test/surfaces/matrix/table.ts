import { isApplicable, type NotApplicable } from "../../contract/dialect.ts";
import { clients } from "./clients.ts";
import { embeddingClients } from "./embedding-clients.ts";

const apiNames = { chat: "chat completions", responses: "Responses", messages: "Messages" } as const;

/** Makes the table of the documentation: what the tests run of each client, and why not the rest. */
export function clientTable(): string {
  const reasons: string[] = [];
  const cell = (entry: unknown): string => {
    const why = typeof entry === "object" && entry !== null && "why" in entry ? String(entry.why) : undefined;
    if (why === undefined) return "yes";
    if (!reasons.includes(why)) reasons.push(why);
    return `no (${reasons.indexOf(why) + 1})`;
  };
  const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const chats = clients.map(({ name, api, whole, json, canBeWrong, sendsBack }) =>
    row(
      name,
      apiNames[api],
      ...[whole, true, true, json, true, canBeWrong, true, sendsBack.signature, sendsBack.reasoning].map(cell),
    ),
  );
  const embeddings = embeddingClients.map(({ name, errors, aborted }) =>
    row(name, ...[true, firstReason(Object.values(errors)) ?? true, aborted].map(cell)),
  );
  return [
    row(
      ...["client", "API", "unary", "stream", "tools", "JSON of a schema", "provider's errors"],
      ...["bad request", "cancel", "signatures sent back", "reasoning sent back"],
    ),
    row(...Array.from({ length: 11 }, () => "---")),
    ...chats,
    "",
    row("client", "vectors", "errors", "cancel"),
    row(...Array.from({ length: 4 }, () => "---")),
    ...embeddings,
    "",
    ...reasons.map((reason, index) => `${index + 1}. ${reason[0]?.toUpperCase()}${reason.slice(1)}.`),
  ].join("\n");
}

function firstReason(entries: readonly (object | NotApplicable)[]): NotApplicable | undefined {
  return entries.find((entry): entry is NotApplicable => !isApplicable(entry));
}
