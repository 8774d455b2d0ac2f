import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { LearnedField } from "../../src/chat/planning/learned.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { createEcho } from "../../src/providers/echo/index.ts";
import { LearnedFields } from "../../src/routing/learned-fields.ts";
import type { Target } from "../../src/routing/target.ts";

const hourMs = 60 * 60 * 1000;

function targetOf(providerModel: string, baseUrl = "http://a"): Target {
  const model = create(ModelSchema, { id: `any/${providerModel}`, provider: "openai", providerModel });
  return { model, adapter: { ...createEcho(), baseUrl } };
}

function startClock() {
  let now = 1_000;
  const learned = new LearnedFields(() => now);
  const field = (name: string, otherName?: string): LearnedField => ({
    name,
    ...(otherName !== undefined && { otherName }),
    rejection: "rejected",
    untilMs: learned.untilMs(),
  });
  const names = (target: Target) => learned.of(target).map(({ name }) => name);
  const pass = (ms: number): void => {
    now += ms;
  };
  return { learned, field, names, pass };
}

describe("learned fields", () => {
  it("remembers a field for 24 hours", () => {
    const { learned, field, names, pass } = startClock();
    learned.add(targetOf("m"), [field("temperature")]);
    pass(24 * hourMs - 1);
    expect(names(targetOf("m"))).toEqual(["temperature"]);
    pass(1);
    expect(names(targetOf("m"))).toEqual([]);
    expect(learned.size).toBe(0);
  });

  it("renews a field that is learned again", () => {
    const { learned, field, names, pass } = startClock();
    learned.add(targetOf("m"), [field("temperature")]);
    pass(12 * hourMs);
    learned.add(targetOf("m"), [field("temperature")]);
    pass(13 * hourMs);
    expect(names(targetOf("m"))).toEqual(["temperature"]);
    expect(learned.size).toBe(1);
  });

  it("keeps the fields of each provider, base URL and model apart, and shares them between adapters", () => {
    const { learned, field, names } = startClock();
    learned.add(targetOf("m"), [field("temperature"), field("top_p")]);
    expect(names(targetOf("m"))).toEqual(["temperature", "top_p"]);
    expect(names(targetOf("n"))).toEqual([]);
    expect(names(targetOf("m", "http://b"))).toEqual([]);
  });

  it("remembers at most 1,000 fields of all targets, and forgets the oldest first", () => {
    const { learned, field, names } = startClock();
    for (let index = 0; index <= 1_000; index++) learned.add(targetOf(`m${index}`), [field("temperature")]);
    expect(learned.size).toBe(1_000);
    expect(names(targetOf("m0"))).toEqual([]);
    expect(names(targetOf("m1"))).toEqual(["temperature"]);
    expect(names(targetOf("m1000"))).toEqual(["temperature"]);
  });

  it("forgets a name when the target rejects the name that replaced it", () => {
    const { learned, field, names } = startClock();
    learned.add(targetOf("m"), [field("max_tokens", "max_completion_tokens")]);
    learned.add(targetOf("m"), [field("max_completion_tokens", "max_tokens")]);
    expect(names(targetOf("m"))).toEqual(["max_completion_tokens"]);
    expect(learned.size).toBe(1);
  });
});
