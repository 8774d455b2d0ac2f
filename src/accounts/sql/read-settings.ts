import type { z } from "zod";
import type { AccountSettings } from "../../config/account.ts";
import { accountSchema, storedKeySchema } from "../../config/account-schema.ts";
import { toAccountSettings, toKeySettings } from "../../config/accounts.ts";
import type { NewKeySettings } from "../manage-keys.ts";

// Loaded only when a database has keys or accounts: the schemas take 4 MB in the thread of the database.

/** Reads the column `settings` of a key. Throws if it is not valid. */
export function readKeyJson(json: string): NewKeySettings {
  const section = parse(storedKeySchema, json);
  return { displayName: section.display_name ?? "", ...toKeySettings(section) };
}

/** Reads the column `settings` of an account. Throws if it is not valid. */
export function readAccountJson(id: string, json: string): AccountSettings {
  return toAccountSettings(id, parse(accountSchema, json));
}

/** Ignores unknown items: a newer version of the program, which runs beside this one during an update, may have them. */
function parse<Schema extends z.ZodType>(schema: Schema, json: string): z.output<Schema> {
  const value: unknown = JSON.parse(json);
  const { error } = schema.safeParse(value);
  for (const issue of error?.issues ?? []) {
    if (issue.code !== "unrecognized_keys") continue;
    let place = value as Record<PropertyKey, unknown>;
    for (const step of issue.path) place = place[step] as Record<PropertyKey, unknown>;
    for (const key of issue.keys) delete place[key];
  }
  return schema.parse(value);
}
