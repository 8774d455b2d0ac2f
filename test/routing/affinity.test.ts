import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { Affinity, conversationOf } from "../../src/routing/affinity.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

function say(role: Role, text: string, ttlMs?: number): MessageInitShape<typeof MessageSchema> {
  const cacheHint = ttlMs === undefined ? {} : { cacheHint: { ttl: durationFromMs(ttlMs) } };
  return { role, parts: [{ kind: { case: "text", value: text }, ...cacheHint }] };
}

const { SYSTEM, USER, ASSISTANT } = Role;
const first = [say(SYSTEM, "be brief"), say(USER, "hello")];
const later = [...first, say(ASSISTANT, "hello"), say(USER, "more")];

function of(init: Init, scope = "account"): ReturnType<typeof conversationOf> {
  return conversationOf(create(ChatRequestSchema, init), scope);
}

describe("affinity", () => {
  const conversation = { key: "c", ttlMs: 1_000, isKnown: true };
  const pin = { target: "openai/one", key: "a" };

  test("finds the target of a conversation until the prompt cache ends, counted from the latest response", () => {
    const clock = new VirtualClock();
    const affinity = new Affinity(clock);
    expect(affinity.find(conversation)).toBeUndefined();
    affinity.pin(conversation, pin);
    clock.pass(999);
    expect(affinity.find(conversation)).toMatchObject(pin);
    affinity.pin(conversation, pin);
    clock.pass(999);
    expect(affinity.find(conversation)).toMatchObject(pin);
    clock.pass(1);
    expect(affinity.find(conversation)).toBeUndefined();
  });

  test("does not bind the first request of a conversation", () => {
    const affinity = new Affinity(new VirtualClock());
    affinity.pin({ ...conversation, isKnown: false }, pin);
    expect(affinity.find({ ...conversation, isKnown: false })).toBeUndefined();
    expect(affinity.find(conversation)).toMatchObject(pin);
  });

  test("forgets the conversations without requests for the longest time beyond 20,000", () => {
    const affinity = new Affinity(new VirtualClock());
    for (let index = 0; index < 20_000; index++) affinity.pin({ ...conversation, key: `c${index}` }, pin);
    affinity.pin({ ...conversation, key: "c0" }, pin);
    affinity.pin({ ...conversation, key: "c20000" }, pin);
    const known = (key: string) => affinity.find({ ...conversation, key }) !== undefined;
    expect([known("c0"), known("c1"), known("c2"), known("c20000")]).toEqual([true, false, true, true]);
  });
});

describe("the conversation of a request", () => {
  test("stays the same while the conversation goes on", () => {
    expect(of({ messages: later }).key).toBe(of({ messages: first }).key);
    expect(of({ messages: first }).isKnown).toBe(false);
    expect(of({ messages: later }).isKnown).toBe(true);
  });

  test("differs with the holder, the system prompt and the first user message", () => {
    const keys = [
      of({ messages: first }),
      of({ messages: first }, "another account"),
      of({ messages: [say(SYSTEM, "be long"), say(USER, "hello")] }),
      of({ messages: [say(SYSTEM, "be brief"), say(USER, "good day")] }),
      of({ messages: [say(USER, "hello")] }),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("does not depend on the model and the parameters", () => {
    const key = of({ messages: first }).key;
    expect(of({ messages: first, model: "openai/two", parameters: { temperature: 0.5 } }).key).toBe(key);
  });

  test("is that of the prompt cache key, whatever the messages are", () => {
    const one = of({ messages: first, promptCacheKey: "k" });
    expect(of({ messages: [say(USER, "else")], promptCacheKey: "k" }).key).toBe(one.key);
    expect(of({ messages: first, promptCacheKey: "l" }).key).not.toBe(one.key);
    expect(of({ messages: first, promptCacheKey: "k" }, "another account").key).not.toBe(one.key);
    expect(one.isKnown).toBe(true);
  });

  test("is that of the content up to the first cache hint", () => {
    const hinted = say(SYSTEM, "a long document", 60 * 60 * 1_000);
    const one = of({ messages: [hinted, say(USER, "hello")] });
    expect(of({ messages: [hinted, say(USER, "something else")] }).key).toBe(one.key);
    expect(of({ messages: [say(SYSTEM, "another one", 1_000), say(USER, "hello")] }).key).not.toBe(one.key);
    expect(one.isKnown).toBe(true);
  });

  test("stays the same if the client moves its cache hint to the latest message", () => {
    const hint = 300_000;
    const one = of({ messages: [say(SYSTEM, "be brief"), say(USER, "hello", hint)] });
    const next = of({ messages: [...first, say(ASSISTANT, "hello"), say(USER, "more", hint)] });
    expect(next.key).toBe(one.key);
    expect(next.key).toBe(of({ messages: first }).key);
  });

  test("lasts as long as the longest cache hint, from five minutes to an hour", () => {
    const ttl = (...ttls: number[]) => of({ messages: ttls.map((ms) => say(USER, "a", ms)) }).ttlMs;
    expect([ttl(), ttl(1_000), ttl(1_000, 600_000), ttl(90_000_000)]).toEqual([300_000, 300_000, 600_000, 3_600_000]);
  });

  test("accepts media, of which the length and the first bytes count", () => {
    const image = (data: Uint8Array): Init => ({
      messages: [
        {
          role: USER,
          parts: [
            { kind: { case: "media", value: { mediaType: "image/png", source: { case: "data", value: data } } } },
          ],
        },
      ],
    });
    const key = of(image(new Uint8Array(100))).key;
    expect(of(image(new Uint8Array(100))).key).toBe(key);
    expect(of(image(new Uint8Array(101))).key).not.toBe(key);
    expect(of(image(new Uint8Array(100).fill(1, 0, 1))).key).not.toBe(key);
  });
});

describe("a conversation with large content", () => {
  const image = (data: Uint8Array) => ({
    role: USER,
    parts: [{ kind: { case: "media", value: { source: { case: "data", value: data }, mediaType: "image/png" } } }],
  });

  test("is known by the beginning and the size of its content, whatever holds the bytes", () => {
    const bytes = new Uint8Array(1_000).fill(7);
    const key = (data: Uint8Array) => of({ messages: [image(data)] } as Init).key;
    expect(key(Buffer.from(bytes))).toBe(key(bytes));
    expect(key(bytes.subarray(1))).not.toBe(key(bytes));
    const text = (length: number, letter = "a") => of({ messages: [say(USER, letter.repeat(length))] }).key;
    expect(text(100_000)).not.toBe(text(100_001));
    expect(text(100_000)).not.toBe(text(100_000, "b"));
    expect(text(100_000)).toBe(text(100_000));
  });

  test("is known without a copy of its bytes as text, which would block all other calls", () => {
    const bytes = Object.assign(Buffer.alloc(1_000, 7), {
      toJSON(): never {
        throw new Error("all bytes become text");
      },
    });
    expect(of({ messages: [image(bytes)] } as Init).key).toBe(
      of({ messages: [image(Buffer.alloc(1_000, 7))] } as Init).key,
    );
  });
});
