import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/calls/plan.ts";
import { GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { ask } from "../support/requests.ts";
import { type Dialect, headingOf, isApplicable, type StopFacts } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { planFor } from "./send-conversation.ts";

const blank = ["\n\n", " ", "\t", "\u00a0"];
const long = ["x".repeat(32), "é".repeat(16), "é".repeat(17), "x".repeat(1024)];
const short = ["a", "b", "c", "d", "e", "f", "END", "</s>"];

async function plan(dialect: Dialect, stopSequences: readonly string[]) {
  const parameters = create(GenerationParametersSchema, { stopSequences: [...stopSequences] });
  const { plan: planned, body } = await planFor(
    dialect,
    ask(dialect.model.id, "hello", { parameters, strictParameters: true }),
  );
  return { planned, body: JSON.parse(body) as unknown };
}

/** Returns the stop sequences in a request body. */
function sentIn(body: unknown, { field }: StopFacts): readonly string[] {
  const value = field.split(".").reduce<unknown>((inner, name) => Reflect.get(Object(inner), name), body);
  return Array.isArray(value) ? value.map(String) : [];
}

const stopWarnings = ({ warnings }: Plan) => warnings.filter(({ field }) => field === "parameters.stop_sequences");

describe.each(dialects.map((dialect) => [headingOf(dialect), dialect] as const))("stop sequences: %s", (_, dialect) => {
  const { stops } = dialect;
  const facts: StopFacts = isApplicable(stops) ? stops : { field: "stop", max: 0 };
  const { max = 16, maxBytes = 1024, rejectsBlank = false } = facts;
  const isAccepted = (stop: string) => Buffer.byteLength(stop) <= maxBytes && !(rejectsBlank && stop.trim() === "");

  it.each([
    ["16 of all kinds", [...blank, ...long, ...short]],
    ["only blank ones", blank],
    ["only long ones", long],
    ["as many as the API accepts", short.slice(0, max)],
    ["one more", short.slice(0, max + 1)],
    ["the same twice", ["a", "a", "b", "b", "a", "a"]],
  ])("sends what the API accepts, and ends the response at the others: %s", async (_name, asked) => {
    const { planned, body } = await plan(dialect, asked);
    const accepted = [...new Set(asked)].filter(isAccepted);
    const sent = sentIn(body, facts);
    expect(sent).toEqual(accepted.slice(0, max));
    expect(new Set([...sent, ...planned.stops])).toEqual(new Set(asked));
    const isEmulated = planned.stops.length > 0;
    expect(stopWarnings(planned).map(({ reason }) => reason)).toEqual(isEmulated ? ["EMULATED"] : []);
    expect(isEmulated).toBe(new Set(asked).size > sent.length);
  });
});
