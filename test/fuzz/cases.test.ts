import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bounds } from "./bounds.ts";
import { fire, type Stage, startStage } from "./driver.ts";
import type { Shot } from "./shot.ts";

const folder = join(import.meta.dirname, "cases");

/** Shots that broke a law once, by the name of their file. */
const cases = readdirSync(folder).map((file) => {
  const shots: readonly Shot[] = JSON.parse(readFileSync(join(folder, file), "utf8"));
  return [file.replace(/\.json$/, "").replaceAll("-", " "), shots] as const;
});

describe("shots that once broke a law", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage(bounds);
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it.each(cases)("break no law: %s", async (_name, shots) => {
    expect(await fire(stage, shots)).toEqual([]);
  });
});
