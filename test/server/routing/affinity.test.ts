import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { answers, type ChatUpstream, keyOf, limits, rejects } from "../../support/chat-upstream.ts";
import { forms, type Got, startRouted } from "./harness.ts";

const names = ["a", "b", "c", "d"] as const;
const targets = names.map((name) => `{ model: ${name}/m }`).join(", ");
const route = (more = "") => `routes: { r: { tiers: [{ targets: [${targets}] }]${more} } }`;

/** Parameters of a call with a `prompt_cache_key`, in each API. */
const keyed = (key: string) => ({ model: "r", promptCacheKey: key, body: { prompt_cache_key: key } });

const message = (role: Role, text: string, isHinted = false): Message =>
  create(MessageSchema, {
    role,
    parts: [{ kind: { case: "text", value: text }, ...(isHinted && { cacheHint: {} }) }],
  });

async function textsOf(count: number, call: (index: number) => Promise<Got>): Promise<Set<string>> {
  const texts = new Set<string>();
  for (let index = 0; index < count; index++) {
    const { text, reason } = await call(index);
    expect(reason).toBe("");
    texts.add(text);
  }
  return texts;
}

describe.each(forms)("affinity, as %s", (form) => {
  it("keeps the calls of one prompt_cache_key at one target, and spreads those of several", async () => {
    const { call } = await startRouted({ providers: names, yaml: route() });
    expect((await textsOf(12, () => call(form, keyed("session-1")))).size).toBe(1);
    expect((await textsOf(30, (index) => call(form, keyed(`other-${index}`)))).size).toBeGreaterThan(1);
  });

  it("replaces a pinned target that fails, and then stays at the new one", async () => {
    const { call, at } = await startRouted({ providers: names, yaml: route() });
    const pinned = (await call(form, keyed("session"))).text;
    const upstream: ChatUpstream = at[pinned as "a"];
    upstream.plays(rejects(503), answers(pinned));
    const moved = await call(form, keyed("session"));
    expect(moved.recorded).toHaveLength(2);
    expect(moved.recorded[0]).toBe(`${pinned}/m PROVIDER_UNAVAILABLE`);
    expect(moved.text).not.toBe(pinned);
    expect(await textsOf(8, () => call(form, keyed("session")))).toEqual(new Set([moved.text]));
  });

  it("is off if the route says so", async () => {
    const { call } = await startRouted({ providers: names, yaml: route(", affinity: off") });
    expect((await textsOf(40, () => call(form, keyed("session")))).size).toBeGreaterThan(1);
  });

  it("does not bind calls that have nothing in common with an earlier response", async () => {
    const { call } = await startRouted({ providers: names, yaml: route() });
    expect((await textsOf(40, () => call(form, { model: "r" }))).size).toBeGreaterThan(1);
  });
});

describe("affinity", () => {
  it("keeps a conversation at the target of its first turn", async () => {
    const { call } = await startRouted({ providers: names, yaml: route() });
    for (let conversation = 0; conversation < 6; conversation++) {
      const messages = [message(Role.SYSTEM, "be kind"), message(Role.USER, `question ${conversation}`)];
      const first = await call("gRPC unary", { model: "r", messages });
      for (let turn = 0; turn < 4; turn++) {
        messages.push(message(Role.ASSISTANT, first.text), message(Role.USER, `turn ${turn}`));
        expect(await call("gRPC stream", { model: "r", messages })).toMatchObject({ text: first.text, reason: "" });
      }
    }
  });

  it("keeps calls with the same content up to a cache hint at one target", async () => {
    const { call } = await startRouted({ providers: names, yaml: route() });
    const hinted = (document: string, index: number) => ({
      model: "r",
      messages: [message(Role.SYSTEM, document, true), message(Role.USER, `question ${index}`)],
    });
    const same = (index: number) => call("gRPC unary", hinted("a long document", index));
    expect((await textsOf(12, same)).size).toBe(1);
    const others = (index: number) => call("gRPC unary", hinted(`document ${index}`, index));
    expect((await textsOf(30, others)).size).toBeGreaterThan(1);
  });

  it("keeps to the key, since providers cache for each account, until the key is limited", async () => {
    const all = ["one", "two", "three", "four"].map((name) => `{ name: ${name}, value: secret-of-${name} }`);
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: `keys: [${all.join(", ")}]` } });
    const keyedAt = { ...keyed("session"), model: "a/m" };
    for (let index = 0; index < 12; index++) await call("gRPC unary", keyedAt);
    const used = new Set(at.a.requests.map(keyOf));
    expect(used.size).toBe(1);
    at.a.plays(limits(60_000), answers("a"));
    const moved = await call("gRPC unary", keyedAt);
    expect(moved).toMatchObject({ text: "a", reason: "" });
    const asked = at.a.requests.length;
    for (let index = 0; index < 8; index++) await call("gRPC unary", keyedAt);
    const after = new Set(at.a.requests.slice(asked).map(keyOf));
    expect(after.size).toBe(1);
    expect(after).not.toEqual(used);
  });

  it("returns to a better tier when it works again", async () => {
    const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
    const yaml = `routes: { r: { tiers: ${tiers}, attempts: { max: 2, per_target: 1 } } }`;
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(rejects(503), answers("a"));
    expect(await call("gRPC unary", keyed("session"))).toMatchObject({ text: "b" });
    expect(await call("gRPC unary", keyed("session"))).toMatchObject({ text: "a" });
  });

  it("does not mix the conversations of two accounts", async () => {
    const { call } = await startRouted({ providers: names, yaml: route() });
    const of = (account: string) => call("gRPC unary", { ...keyed("session"), accountId: account });
    const seen = await textsOf(30, (index) => of(`account-${index}`));
    expect(seen.size).toBeGreaterThan(1);
    expect((await textsOf(6, () => of("account-1"))).size).toBe(1);
  });
});
