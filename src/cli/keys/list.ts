import { configOption, defineCommand } from "../command.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { layOut } from "../table.ts";
import { withKeys } from "./key-store.ts";
import type { ListedKey } from "./keys.ts";

export const command = defineCommand({
  description: `Lists the keys of the database, the newest first. With --address, lists those of the running service
there, which also has the keys of its configuration.`,
  options: { config: configOption, ...connectionOptions },
  examples: [
    ["List the keys of the database of a file", "keys list --config dragoman.yaml"],
    ["List the keys of a running service", "keys list --address 127.0.0.1:50051 --key-file admin.key"],
  ],
  async run(values, _, shell) {
    const { stdout, stderr } = shell;
    const keys = await withKeys(values, shell, ({ list }) => list());
    if (keys.length === 0) {
      stderr.write("dragoman: the database has no keys; `dragoman keys create` makes one\n");
      return;
    }
    const newestFirst = [...keys].sort((a, b) => (b.createdMs ?? 0) - (a.createdMs ?? 0) || (a.id < b.id ? -1 : 1));
    const column = (title: string, cellOf: (key: ListedKey) => string, isCut = false) => {
      return { title, align: "left" as const, cells: newestFirst.map(cellOf), isCut };
    };
    const now = Date.now();
    const lines = layOut(
      [
        column("id", ({ id }) => id),
        column("name", ({ displayName }) => displayName, true),
        column("role", ({ role }) => role),
        column("accounts", ({ accounts }) => accounts.join(",") || "any", true),
        column("models", ({ models = [] }) => models.join(",") || "all", true),
        column("created", ({ createdMs }) => (createdMs === undefined ? "in the file" : dayOf(createdMs))),
        column("state", (key) => stateOf(key, now)),
      ],
      stdout.columns,
    );
    stdout.write(`${lines.join("\n")}\n`);
  },
});

function stateOf({ revokedMs, expiresMs }: ListedKey, nowMs: number): string {
  if (revokedMs !== undefined) return `revoked ${dayOf(revokedMs)}`;
  if (expiresMs === undefined) return "valid";
  return nowMs < expiresMs ? `valid until ${dayOf(expiresMs)}` : `expired ${dayOf(expiresMs)}`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
