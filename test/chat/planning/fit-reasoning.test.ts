import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { Adaptation } from "../../../src/chat/planning/adaptations.ts";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { fitReasoning } from "../../../src/chat/planning/fit-reasoning.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;

/** Returns the effort that a request gets for a model with these efforts, and the number of warnings. */
function chosenFor(
  effort: ReasoningEffort | undefined,
  efforts: readonly ReasoningEffort[],
  { turnsReasoningOn = false, strictParameters = false } = {},
) {
  const control = effort && ({ case: "effort", value: effort } as const);
  const asked = create(ChatRequestSchema, { model: "m", strictParameters, ...(control && { reasoning: { control } }) });
  const checkSupport = ({ reasoning }: ChatRequest): Adaptation[] =>
    reasoning?.control.case === "effort" && !efforts.includes(reasoning.control.value)
      ? [{ kind: "REJECTED", field: ["reasoning", "effort"], message: "no" }]
      : [];
  const extras = { fields: {}, isDocumented: () => false, leftOut: [], turnsReasoningOn };
  const model = create(ModelSchema, { id: "m" });
  const { request, warnings } = fitReasoning(startDraft(asked), { extras, model, checkSupport });
  return [request.reasoning?.control.value, warnings.length];
}

describe("the amount of reasoning", () => {
  it.each([
    [MAX, [LOW, HIGH], HIGH],
    [NONE, [MINIMAL, LOW], MINIMAL],
    [MEDIUM, [LOW, HIGH], LOW],
    [MINIMAL, [NONE, HIGH], HIGH],
    [LOW, [NONE], NONE],
  ])("becomes the nearest that the model supports, with a warning", (effort, efforts, chosen) => {
    expect(chosenFor(effort, efforts)).toEqual([chosen, 1]);
  });

  it("stays as it is if the model supports it, if it supports none, and for strict callers", () => {
    expect(chosenFor(HIGH, [LOW, HIGH])).toEqual([HIGH, 0]);
    expect(chosenFor(HIGH, [])).toEqual([HIGH, 0]);
    expect(chosenFor(MAX, [LOW, HIGH], { strictParameters: true })).toEqual([MAX, 0]);
  });

  it("is a usual one if the caller turns reasoning on without an amount", () => {
    expect(chosenFor(undefined, [LOW, HIGH], { turnsReasoningOn: true })).toEqual([HIGH, 0]);
  });
});
