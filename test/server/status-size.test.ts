import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ErrorFacts, type FieldViolation, GatewayError, invalidRequest, type Reason } from "../../src/errors.ts";
import {
  CallInfoSchema,
  JsonGenerationFailureSchema,
  ProviderErrorSchema,
  ToolCallFailureSchema,
} from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { fitDetails, sizeOf } from "../../src/server/services/fit-details.ts";
import { statusOf } from "../../src/server/services/status.ts";

const mostBytes = 4096;

/** Text of many sizes, with characters of one to four bytes. */
const text = (maxLength: number) =>
  fc
    .tuple(
      fc.string({ unit: fc.constantFrom("a", "é", "日", "😀"), minLength: 1, maxLength: 16 }),
      fc.nat({ max: maxLength }),
    )
    .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)).toWellFormed());

const attempt = fc.record({
  provider: text(40),
  target: text(300),
  providerModel: text(300),
  providerRequestId: text(128),
  providerResponseId: text(2000),
});

const callInfo = fc
  .record({ callId: fc.constant(`chatcmpl-${"0".repeat(32)}`), attempts: fc.array(attempt, { maxLength: 9 }) })
  .map((init: MessageInitShape<typeof CallInfoSchema>) => create(CallInfoSchema, init));

const violation: fc.Arbitrary<FieldViolation> = fc.record({
  field: text(600).map((name) => [name]),
  description: text(1200),
  rule: fc.constantFrom("string.min_len", "missing"),
});

interface Generated {
  readonly reason: Reason;
  readonly message: string;
  readonly facts: ErrorFacts;
}

const generated: fc.Arbitrary<Generated> = fc.record({
  reason: fc.constantFrom<Reason>("INVALID_REQUEST", "JSON_GENERATION_FAILED", "TOOL_CALL_INVALID"),
  message: text(2000),
  facts: fc.record(
    {
      failedGeneration: text(20_000),
      providerMessage: text(2000),
      fields: fc.array(violation, { maxLength: 100 }),
      metadata: fc.dictionary(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }), text(3000)),
      retryAfterMs: fc.nat(),
      quota: fc.record({ subject: text(1000), description: text(1000) }),
      provider: fc
        .record({ provider: text(300), providerModel: text(3000), code: text(3000), requestId: text(300) })
        .map((init) => create(ProviderErrorSchema, init)),
    },
    { requiredKeys: [] },
  ),
});

type Sent = ReturnType<typeof statusOf>["details"];

function bytesOf(details: Sent): number {
  const packed = details.map(({ desc, value }) => anyPack(desc, create(desc, value)));
  return toBinary(StatusSchema, create(StatusSchema, { details: packed })).length;
}

function find<Desc extends Sent[number]["desc"]>(details: Sent, desc: Desc) {
  const found = details.find((detail) => detail.desc.typeName === desc.typeName);
  return found === undefined ? undefined : create(desc, found.value as MessageInitShape<Desc>);
}

/** The facts that can be cut, as a status has them. */
function factsIn(details: Sent) {
  const json = find(details, JsonGenerationFailureSchema);
  const tool = find(details, ToolCallFailureSchema);
  return {
    attempts: find(details, CallInfoSchema)?.attempts ?? [],
    generation: json?.failedGeneration ?? tool?.failedGeneration ?? "",
    truncated: json?.truncated ?? tool?.truncated ?? false,
    violations: find(details, BadRequestSchema)?.fieldViolations ?? [],
  };
}

/** Whether a text is the beginning of another, without part of a character at its end. */
function isBeginning(cut: string, whole: string): boolean {
  return whole.startsWith(cut) && cut.isWellFormed() && !cut.includes("\uFFFD");
}

describe("the details of a status", () => {
  it("have at most 4,096 bytes together, whatever the facts", () => {
    fc.assert(
      fc.property(generated, fc.option(callInfo, { nil: undefined }), ({ reason, message, facts }, info) => {
        const status = statusOf(new GatewayError(reason, message, facts), {
          requestId: "r".repeat(300),
          ...(info && { info }),
        });
        expect(bytesOf(status.details)).toBeLessThanOrEqual(mostBytes);
        expect(Buffer.byteLength(status.message)).toBeLessThanOrEqual(512);
        expect(encodeURI(status.message).length).toBeLessThanOrEqual(768);
        expect(status.message.isWellFormed()).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("are cut in the documented order, and only as far as necessary", () => {
    fc.assert(
      fc.property(generated, callInfo, ({ reason, message, facts }, info) => {
        const error = new GatewayError(reason, message, facts);
        const { details } = statusOf(error, { requestId: "r", info });
        const sent = factsIn(details);
        const { failedGeneration = "", fields = [] } = error.facts;
        const lost = {
          attempts: sent.attempts.length < info.attempts.length,
          generation: sent.generation !== failedGeneration,
          violations: sent.violations.length < fields.length,
          lastAttempt: info.attempts.length > 0 && sent.attempts.length === 0,
        };
        if (reason !== "INVALID_REQUEST" || failedGeneration === "") expect(sent.truncated).toBe(lost.generation);
        expect(isBeginning(sent.generation, failedGeneration)).toBe(true);
        if (lost.generation) expect(sent.attempts.length).toBeLessThanOrEqual(1);
        if (lost.violations) expect([sent.attempts.length <= 1, sent.generation]).toEqual([true, ""]);
        if (lost.lastAttempt) expect([sent.generation, sent.violations]).toEqual(["", []]);
        // The kept attempt is the last one.
        if (lost.attempts && !lost.lastAttempt) expect(sent.attempts).toEqual(info.attempts.slice(-1));
        // What was cut would not have fit.
        if (lost.generation && !lost.violations && !lost.lastAttempt) {
          expect(bytesOf(details)).toBeGreaterThan(mostBytes - 32 - (sent.generation === "" ? mostBytes : 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are whole if they fit exactly", () => {
    fc.assert(
      fc.property(callInfo, text(5000), (info, failedGeneration) => {
        // Nothing can be cut from an empty text and one attempt.
        fc.pre(failedGeneration !== "" || info.attempts.length > 1);
        const details = { callInfo: info, jsonFailure: create(JsonGenerationFailureSchema, { failedGeneration }) };
        const size = sizeOf(details);
        expect(fitDetails(details, size)).toBe(details);
        const cut = fitDetails(details, size - 1);
        expect(sizeOf(cut)).toBeLessThan(size);
        expect(cut.callInfo?.attempts.length).toBeLessThanOrEqual(1);
        // One attempt less is enough.
        if (info.attempts.length > 1) expect(cut.jsonFailure).toBe(details.jsonFailure);
      }),
    );
  });

  it("count in the message the violations that they do not list", () => {
    const field = (index: number) => ({
      field: ["messages", index, "role"],
      description: "must be a role ".repeat(10),
    });
    const error = invalidRequest(Array.from({ length: 250 }, (_, index) => field(index)));
    const { message, details } = statusOf(error, { requestId: "r" });
    const listed = factsIn(details).violations.length;
    expect(listed).toBeGreaterThan(10);
    expect(message).toMatch(new RegExp(`…; ${250 - listed} more invalid fields are not listed$`));
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(512);
    const few = statusOf(invalidRequest([field(0)]), { requestId: "r" });
    expect(few.message).not.toContain("not listed");
  });

  it("keep the provider's words of a rejected tool call to 512 bytes", () => {
    const facts = { providerMessage: "日".repeat(400), failedGeneration: "x".repeat(9000) };
    const { details } = statusOf(new GatewayError("TOOL_CALL_INVALID", "no", facts), { requestId: "r" });
    const failure = find(details, ToolCallFailureSchema);
    expect(failure?.message).toBe("日".repeat(170));
    expect(failure?.truncated).toBe(true);
    expect(bytesOf(details)).toBe(mostBytes);
  });

  it("do not change the facts that they were made of", () => {
    const info = create(CallInfoSchema, { attempts: Array.from({ length: 40 }, () => ({ target: "t".repeat(200) })) });
    expect(fitDetails({ callInfo: info }, 1000).callInfo?.attempts).toHaveLength(1);
    expect(info.attempts).toHaveLength(40);
  });
});
