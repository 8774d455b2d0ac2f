import { expect } from "vitest";
import { type BackendName, type Reply, type Stage, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

/** One model of each family, by provider. */
export const families = {
  openai: "gpt-4o",
  "llm-engine": "llama-3-8b-instruct",
  gemini: "gemini-1.5-pro-002",
  anthropic: "claude-3-haiku-20240307",
  mistral: "mistral-large-latest",
} as const satisfies Partial<Record<BackendName, string>>;
export type Family = keyof typeof families;
const deployments = Object.fromEntries(Object.entries(families).map(([name, model]) => [name, { model }]));

/** Starts a service with a backend and a deployment for each family. */
export const onFamilies = () =>
  startStage({ openai: [], "llm-engine": [], gemini: [], anthropic: [], mistral: [] }, { deployments });

/** Returns the sampling parameters in the last upstream request of a family. */
export function parametersOf(stage: Stage, family: Family): Record<string, unknown> {
  const body = stage.sent(family);
  return family === "gemini" ? (body.generationConfig as Record<string, unknown>) : body;
}

/** Expects that a parameter reaches the families in `taking`, and that the caller gets a warning for all others. */
export async function reaches(
  ask: (family: Family) => Promise<Reply>,
  stage: Stage,
  names: Readonly<Record<Family, string>>,
  taking: readonly Family[],
  field: string,
): Promise<void> {
  for (const family of Object.keys(families) as Family[]) {
    const reply = await ask(family);
    expect(reply.status).toBe(200);
    const isTaken = taking.includes(family);
    expect([family, Object.hasOwn(parametersOf(stage, family), names[family])]).toEqual([family, isTaken]);
    expect([family, warningsOf(reply)]).toEqual([family, isTaken ? [] : [["UNSUPPORTED_PARAMETER", field]]]);
  }
}

/** Returns the upstream names of a parameter. Gemini's differs from the others'. */
export const called = (name: string, googles: string): Record<Family, string> => ({
  ...{ openai: name, "llm-engine": name, anthropic: name, mistral: name },
  gemini: googles,
});
