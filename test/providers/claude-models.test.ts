import { expect, it } from "vitest";
import { claudeModel } from "../../src/providers/claude/claude-models.ts";

const newest = {
  opus: claudeModel("claude-opus-5-5"),
  sonnet: claudeModel("claude-sonnet-5-5"),
  haiku: claudeModel("claude-haiku-5-5"),
  fable: claudeModel("claude-fable-5-2"),
};

it.each([
  ["claude-opus-6", newest.opus],
  ["claude-opus-6-1-20270101", newest.opus],
  ["claude-opus-latest", newest.opus],
  ["anthropic/claude-opus-12.3", newest.opus],
  ["us.anthropic.claude-opus-7-v1:0", newest.opus],
  ["claude-sonnet-7", newest.sonnet],
  ["claude-haiku-7", newest.haiku],
  ["claude-fable-6", newest.fable],
])("gives %s the rules of the newest known model of its tier", (name, rules) => {
  expect(claudeModel(name)).toEqual(rules);
});

it.each([
  ["claude-opus-4-9", "claude-opus-4-8"],
  ["claude-sonnet-4-7", "claude-sonnet-4-6"],
  ["claude-haiku-5", "claude-haiku-4-5"],
])("gives %s, which is between known versions, the rules of %s", (name, known) => {
  expect(claudeModel(name)).toEqual(claudeModel(known));
});

it.each([
  ["anthropic/claude-opus-4.6", "claude-opus-4-6"],
  ["us.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6"],
  ["arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"],
  ["claude-opus-4-1@20250805", "claude-opus-4-1"],
  ["claude-opus-4@20250514", "claude-opus-4-20250514"],
  ["anthropic/claude-4.5-sonnet", "claude-sonnet-4-5"],
  ["anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet-20250219"],
  ["Claude-Opus-4-5", "claude-opus-4-5"],
  ["claude-haiku-3.5", "claude-3-5-haiku-20241022"],
  ["Claude-Sonnet-3.7", "claude-3-7-sonnet-20250219"],
  ["claude-opus-3", "claude-3-opus-20240229"],
])("reads %s as %s", (name, plain) => {
  expect(claudeModel(name)).toEqual(claudeModel(plain));
});

it("lets only Claude 3.7 of Claude 3 think, within a budget", () => {
  expect(claudeModel("claude-3-7-sonnet-20250219")).toMatchObject({ thinking: "budget", maxOutput: 64_000 });
  expect(claudeModel("claude-3-5-haiku-20241022")).toMatchObject({ thinking: "no", maxOutput: 8_192 });
  expect(claudeModel("claude-3-opus-20240229")).toMatchObject({ thinking: "no", maxOutput: 4_096 });
  expect(claudeModel("claude-2.1")).toMatchObject({ thinking: "no", maxOutput: 4_096 });
});

it("gives an unknown tier the restrictions of all models since Claude 5", () => {
  expect(claudeModel("claude-saga-6")).toMatchObject({ thinking: "adaptive", sampling: false, prefill: false });
});

it("restricts nothing for models that are not named as Claude models", () => {
  expect(claudeModel("my-gateway-model")).toMatchObject({ sampling: true, forcedTools: true, prefill: true });
});
