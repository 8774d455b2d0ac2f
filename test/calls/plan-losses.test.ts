import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Plan, planChat } from "../../src/calls/plan.ts";
import { lastMessages } from "../../src/chat/planning/memory.ts";
import { partsOf } from "../../src/chat/planning/parts.ts";
import { GatewayError } from "../../src/errors.ts";
import { type FieldPath, formatPath } from "../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { MediaDetail } from "../../src/gen/dragoman/v1/media_pb.js";
import { type Message, type MessageSchema, type PartSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelCapabilitiesSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { type ProfileName, profiles } from "../../src/profiles/profiles.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { firstUpstreamRequest } from "../../src/routing/choices.ts";
import type { Target } from "../../src/routing/target.ts";
import { titleOf } from "../contract/dialect.ts";
import { dialects } from "../contract/load-dialects.ts";
import { counting } from "../support/counting.ts";
import { textsOf } from "../support/planning.ts";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, { $typeName: string }>;
type MessageInit = Exclude<MessageInitShape<typeof MessageSchema>, { $typeName: string }>;
type PartInit = Exclude<MessageInitShape<typeof PartSchema>, { $typeName: string }>;

const signal = new AbortController().signal;

function plan(chat: ChatRequest, target: Target, profile: ProfileName): Promise<Plan> {
  const applied = profiles[profile];
  return planChat({ chat, profile: applied, profileTexts: textsOf(applied), deployment: undefined }, target, {
    account: "",
    holder: "account:a",
    streamed: false,
    maxValues: 1000,
    counting: counting.limits,
    signal,
  });
}

const without = (model: Model, capability: "systemMessages" | "jsonSchema"): Model => ({
  ...model,
  capabilities: { ...(model.capabilities ?? create(ModelCapabilitiesSchema)), [capability]: false },
});

const text = (value: string): PartInit => ({ kind: { case: "text", value } });
const hinted = (value: string): PartInit => ({ ...text(value), cacheHint: {} });
const thought = (value: string): PartInit => ({ kind: { case: "reasoning", value: { text: value } } });
const source = { case: "data", value: Uint8Array.of(1) } as const;
const image: PartInit = {
  kind: { case: "media", value: { source, mediaType: "image/png", detail: MediaDetail.HIGH } },
};

/** Messages with unique names, texts and reasoning, so that the body of the upstream request shows which were sent. */
const turns = fc
  .array(
    fc.record({
      role: fc.constantFrom(Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.USER, Role.ASSISTANT),
      named: fc.boolean(),
      parts: fc.array(fc.constantFrom("text", "hinted", "image", "thought"), { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drawn) =>
    [...drawn, { role: Role.USER, named: false, parts: ["text"] as const }].map(
      ({ role, named, parts }, index): MessageInit => ({
        role,
        name: named ? `name-${index}` : "",
        parts: parts.map((part, place) => {
          if (part === "image" && role === Role.USER) return image;
          if (part === "thought" && role === Role.ASSISTANT) return thought(`thought-${index}-${place}`);
          return part === "hinted" ? hinted(`text-${index}-${place}`) : text(`text-${index}-${place}`);
        }),
      }),
    ),
  );

const schemaJson = '{"type":"object","properties":{"a":{"type":"string"}}}';
const requests = fc
  .record(
    {
      messages: turns,
      memoryStrategy: fc
        .integer({ min: 1, max: 4 })
        .map((k) => ({ strategy: { case: "lastK", value: { k } } }) as const),
      outputFormat: fc.constant({ format: { case: "jsonSchema", value: { name: "a", schemaJson } } } as const),
    },
    { requiredKeys: ["messages"] },
  )
  .map((init: Init) => create(ChatRequestSchema, { model: "m", ...init }));

/** Detail of a message: its field in the caller's request, and the text that it leaves in the body if it is sent. */
interface Detail {
  readonly kind: "name" | "cache_hint" | "detail" | "reasoning";
  readonly field: string;
  readonly trace: string;
}

/** Lists the details of one of the caller's messages. */
function detailsOf(message: Message, index: number): readonly Detail[] {
  const detail = (kind: Detail["kind"], path: FieldPath, trace: string): Detail => ({
    kind,
    field: formatPath(path),
    trace,
  });
  const own: FieldPath = ["messages", index];
  const inParts = [...partsOf([message])].flatMap(({ part: { kind, cacheHint }, path }) => {
    const place = [...own, ...path.slice(2)];
    return [
      ...(cacheHint ? [detail("cache_hint", [...place, "cache_hint"], "cache mark")] : []),
      ...(kind.case === "media" ? [detail("detail", [...place, "media", "detail"], '"detail":"high"')] : []),
      ...(kind.case === "reasoning" ? [detail("reasoning", [...place, "reasoning"], kind.value.text)] : []),
    ];
  });
  return message.name === "" ? inParts : [detail("name", [...own, "name"], message.name), ...inParts];
}

function occurrences(body: string, trace: string): number {
  return trace === "cache mark" ? (body.match(/cache_?(control|point)"/gi) ?? []).length : body.split(trace).length - 1;
}

/** Lists the details missing from the body. If one of several with the same trace is missing, returns them all. */
function lostOf(details: readonly Detail[], body: string): readonly Detail[] {
  const byTrace = Map.groupBy(details, ({ trace }) => trace);
  return [...byTrace].flatMap(([trace, alike]) => (occurrences(body, trace) < alike.length ? alike : []));
}

/** Expects a warning for each kind of lost detail, and for each lost name if the adapter sent other names. */
function expectNamed(details: readonly Detail[], lost: readonly Detail[], warned: readonly string[]): void {
  const kinds = new Set(lost.map(({ kind }) => kind));
  for (const kind of kinds) {
    const fields = lost.filter((detail) => detail.kind === kind).map(({ field }) => field);
    const reported = fields.filter((field) => warned.includes(field));
    expect([kind, fields, warned, reported.length > 0]).toEqual([kind, fields, warned, true]);
    const isSent = details.some((detail) => detail.kind === kind && !lost.includes(detail));
    if (kind === "name" && isSent) expect(reported).toEqual(fields);
  }
}

const named = dialects.map((dialect) => ({ ...dialect, title: titleOf(dialect) }));

describe.each(named)("a plan for $title", ({ create: make, model }) => {
  it("warns about each lost message detail with the caller's field path", async () => {
    const adapter = make("http://127.0.0.1:9");
    const models = [model, without(model, "systemMessages"), without(model, "jsonSchema")];
    let plans = 0;
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.constantFrom(...models),
        fc.constantFrom<ProfileName>("plain", "egp-chat", "egp-deployment", "cerebras", "deepinfra"),
        async (chat, of, profile) => {
          const target = { model: of, adapter };
          const planned = await plan(chat, target, profile).catch((error: unknown) => {
            if (error instanceof GatewayError && error.reason !== "INTERNAL") return undefined;
            throw error;
          });
          if (planned === undefined) return;
          plans++;
          const strategy = chat.memoryStrategy?.strategy;
          const all = chat.messages.map(detailsOf);
          const kept = strategy?.case === "lastK" ? lastMessages(chat.messages, strategy.value.k) : all.keys();
          const body = stringifyExact(
            adapter.describe(firstUpstreamRequest(planned.request, target), of, planned.prompt),
          );
          const details = [...kept].flatMap((index) => all[index] ?? []);
          expectNamed(
            details,
            lostOf(details, body),
            planned.warnings.map(({ field }) => field),
          );
        },
      ),
    );
    expect(plans).toBeGreaterThan(0);
  });
});
