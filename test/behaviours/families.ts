import { expect } from "vitest";
import { type BackendName, type Reply, type Stage, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

/** A model of each family, by its backend. */
export const families = {
  openai: "gpt-4o",
  "llm-engine": "llama-3-8b-instruct",
  gemini: "gemini-1.5-pro-002",
  anthropic: "claude-3-haiku-20240307",
  mistral: "mistral-large-latest",
} as const satisfies Partial<Record<BackendName, string>>;
export type Family = keyof typeof families;
const deployments = Object.fromEntries(Object.entries(families).map(([name, model]) => [name, { model }]));

/** A stage with a backend of each family, and a deployment by the name of each. */
export const onFamilies = () =>
  startStage({ openai: [], "llm-engine": [], gemini: [], anthropic: [], mistral: [] }, { deployments });

/** The parameters as a family has them on the wire. */
export function parametersOf(stage: Stage, family: Family): Record<string, unknown> {
  const body = stage.sent(family);
  return family === "gemini" ? (body.generationConfig as Record<string, unknown>) : body;
}

/** Holds a parameter to reach these families and no others; those get a warning instead. */
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

/** The names of a parameter on the wire, which is another at Google's. */
export const called = (name: string, googles: string): Record<Family, string> => ({
  ...{ openai: name, "llm-engine": name, anthropic: name, mistral: name },
  gemini: googles,
});
