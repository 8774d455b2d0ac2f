import { create } from "@bufbuild/protobuf";
import { afterEach, expect, it, vi } from "vitest";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";

const rulesFile = "../../../src/chat/validation/annotation-rules.ts";

/** Returns the module as a process has it that has validated nothing. */
function fresh() {
  vi.resetModules();
  return import("../../../src/chat/validation/annotations.ts");
}

afterEach(() => vi.doUnmock(rulesFile));

const invalid = create(ChatRequestSchema, { model: "m" });
const found = [{ field: ["messages"], description: "must not be empty; write at least one message" }];

it("finds the same violations in all messages that come before the rules are loaded", async () => {
  const { annotationViolations } = await fresh();
  const all = Array.from({ length: 20 }, () => annotationViolations(ChatRequestSchema, invalid));
  for (const violations of await Promise.all(all)) expect(violations).toMatchObject(found);
});

it("fails with INTERNAL if the rules cannot be loaded, and loads them for the next message", async () => {
  const { annotationViolations } = await fresh();
  vi.doMock(rulesFile, () => {
    throw new Error("too many open files");
  });
  const failed = annotationViolations(ChatRequestSchema, invalid);
  await expect(failed).rejects.toMatchObject({
    reason: "INTERNAL",
    message: "the request could not be validated",
  });
  vi.doUnmock(rulesFile);
  expect(await annotationViolations(ChatRequestSchema, invalid)).toMatchObject(found);
});
