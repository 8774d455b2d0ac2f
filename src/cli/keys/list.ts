import type { AccountStore, StoredKey } from "../../accounts/account-store.ts";
import { withAccountStore } from "../account-database.ts";
import { configOption, defineCommand } from "../command.ts";
import { loadConfigFor } from "../load-config.ts";
import { layOut } from "../table.ts";

export const command = defineCommand({
  description: "Lists the keys of the database, the newest first.",
  options: { config: configOption },
  async run({ config: file }, _, { environment, stdout, stderr }) {
    const keys = await withAccountStore(await loadConfigFor(file, environment), readKeys);
    if (keys.length === 0) {
      stderr.write("dragoman: the database has no keys; `dragoman keys create` makes one\n");
      return;
    }
    const newestFirst = [...keys].sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
    const column = (title: string, cellOf: (key: StoredKey) => string, isCut = false) => {
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
        column("created", ({ createdMs }) => dayOf(createdMs)),
        column("state", (key) => stateOf(key, now)),
      ],
      stdout.columns,
    );
    stdout.write(`${lines.join("\n")}\n`);
  },
});

async function readKeys(store: AccountStore): Promise<readonly StoredKey[]> {
  const keys: StoredKey[] = [];
  let revision = 0;
  for (let more = true; more; ) {
    const changes = await store.changesAfter(revision);
    keys.push(...changes.keys);
    ({ more, revision } = changes);
  }
  return keys;
}

function stateOf({ revokedMs, expiresMs }: StoredKey, nowMs: number): string {
  if (revokedMs !== undefined) return `revoked ${dayOf(revokedMs)}`;
  if (expiresMs === undefined) return "valid";
  return nowMs < expiresMs ? `valid until ${dayOf(expiresMs)}` : `expired ${dayOf(expiresMs)}`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
