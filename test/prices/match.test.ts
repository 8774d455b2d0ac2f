import { expect, it } from "vitest";
import { type MatchLogic, matches } from "../../src/prices/match.ts";

const sonnet5: MatchLogic = { starts_with: "claude-sonnet-5" };
const nova: MatchLogic = { contains: "amazon.nova-pro" };
const pro: MatchLogic = { and: [{ starts_with: "gemini-2.5-pro" }, { regex: "^(?!.*-tts(?:$|-))" }] };

it.each<[string, MatchLogic]>([
  ["claude-sonnet-5", sonnet5],
  ["Claude-Sonnet-5", sonnet5],
  ["claude-sonnet-5-20270101", sonnet5],
  ["claude-sonnet-5@20270101", sonnet5],
  ["claude-sonnet-5-latest", sonnet5],
  ["claude-sonnet-4-20250514", { starts_with: "claude-sonnet-4-2025" }],
  ["us.amazon.nova-pro-v1:0", nova],
  ["amazon.nova-pro-v1:0:24k", nova],
  ["arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0", nova],
  ["global.anthropic.claude-opus-5", { ends_with: "global.anthropic.claude-opus-5" }],
  ["gemini-2.5-pro-preview-05-06", pro],
  ["gemini-3.5-flash-001", { regex: "^gemini-3\\.5-flash-\\d" }],
  ["grok-4.5-20260801", { regex: "^grok-4\\.5-\\d{8}$" }],
  ["ft:gpt-4o-2024-08-06:acme::a1", { starts_with: "ft:gpt-4o-2024-" }],
])("knows %s as a name of the model", (name, logic) => {
  expect(matches(logic, name)).toBe(true);
});

it.each<[string, MatchLogic]>([
  ["claude-sonnet-5-5", sonnet5],
  ["claude-sonnet-5.5", sonnet5],
  ["claude-sonnet-50", sonnet5],
  ["claude-sonnet-5-mini", sonnet5],
  ["gemini-3.6-flash-lite", { starts_with: "gemini-3.6-flash" }],
  ["gemini-2.5-pro-preview-tts", pro],
  ["gemini-3.5-flash-8b", { regex: "^gemini-3\\.5-flash-\\d" }],
  ["my-o4-mini", { contains: "o4-mini" }],
  ["o4-mini-finance", { contains: "o4-mini" }],
  ["not-global.anthropic.claude-opus-5-5", { ends_with: "global.anthropic.claude-opus-5" }],
  ["gpt-4o", { equals: "gpt-4" }],
])("does not take %s for a model whose name it only contains", (name, logic) => {
  expect(matches(logic, name)).toBe(false);
});

it("takes a name that operators choose only if a row lists it whole", () => {
  expect(matches({ or: [{ equals: "gpt-4o" }, { starts_with: "gpt-4" }] }, "gpt-4o", true)).toBe(true);
  expect(matches({ starts_with: "gpt-4o" }, "gpt-4o-2024-08-06", true)).toBe(false);
});
