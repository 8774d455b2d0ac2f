import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { type Follower, reloadRules } from "../../src/config/reload-rules.ts";

const page = readFileSync(join(resolve(import.meta.dirname, "../.."), "docs/operations.md"), "utf8");

const rows: Readonly<Record<Follower, string>> = {
  calls: "the next call",
  connections: "the next connection",
  process: "the process, at once",
  restart: "a restart only",
};

/** Returns the keys in a row of docs/operations.md. A key that begins with a dot is in the section of the key before it. */
function keysIn(name: string): readonly string[] {
  const row = page.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "";
  let section = "";
  return [...row.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => {
    const key = text.startsWith(".") ? section + text : text;
    section = key.replace(/\.?[^.]*$/, "");
    return key;
  });
}

it.each(Object.entries(rows))("docs/operations.md lists the keys that %s follow", (follower, name) => {
  const keys = Object.entries(reloadRules).flatMap(([key, { follows }]) => (follows === follower ? [key] : []));
  expect([...keysIn(name)].sort()).toEqual(keys.sort());
});
