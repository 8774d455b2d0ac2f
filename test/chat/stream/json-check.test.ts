import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { finished, textDelta } from "../../../src/chat/stream/events.ts";
import { createJsonCheck } from "../../../src/chat/stream/json-check.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { OutputFormatSchema } from "../../../src/gen/dragoman/v1/output_format_pb.js";

function check(schema: object, answer: unknown): void {
  const value = { name: "answer", schemaJson: JSON.stringify(schema) };
  const format = create(OutputFormatSchema, { format: { case: "jsonSchema", value } });
  const checkJson = createJsonCheck(format, true);
  checkJson?.(textDelta(0, 0, JSON.stringify(answer)));
  checkJson?.(finished(0, FinishReason.STOP, "stop"));
}

const numbered = (length: number) => Array.from({ length }, (_, index) => ({ index }));

it("throws if validation takes too long, and validates the next response", () => {
  const unique = { type: "array", uniqueItems: true };
  expect(() => check(unique, numbered(30_000))).toThrow(
    expect.objectContaining({
      reason: "JSON_GENERATION_FAILED",
      message: expect.stringContaining("validating the response took over 150 ms"),
    }),
  );
  expect(() => check(unique, numbered(10))).not.toThrow();
  expect(() => check(unique, [1, 1])).toThrow("did not return the requested JSON");
});

it.each([
  ["levels", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`],
  ["values", `[${"{},".repeat(2_000_000)}{}]`],
  ["different field names", `{${Array.from({ length: 240_000 }, (_, index) => `"k${index}":1`).join()}}`],
])("throws before it parses JSON with too many %s", (_, text) => {
  const format = create(OutputFormatSchema, { format: { case: "jsonObject", value: {} } });
  const checkJson = createJsonCheck(format);
  checkJson?.(textDelta(0, 0, text));
  expect(() => checkJson?.(finished(0, FinishReason.STOP, "stop"))).toThrow(
    expect.objectContaining({
      reason: "JSON_GENERATION_FAILED",
      message: expect.stringContaining("the model's JSON has more than 128 levels, 250000 values"),
    }),
  );
});
