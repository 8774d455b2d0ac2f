import { hash } from "node:crypto";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role } from "../gen/dragoman/v1/message_pb.js";
import type { Clock } from "./clock.ts";

/** Lifetime of a cached prompt in ms that providers have at least, counted from its latest use. */
const usualMs = 5 * 60 * 1_000;

/** Conversations that are remembered. */
const mostPins = 20_000;

/** The conversation that a request belongs to. */
export interface Conversation {
  readonly key: string;
  /** Lifetime of the cached prompt in ms. */
  readonly ttlMs: number;
  /** Whether a provider can have the prompt cached: the request is not the first of the conversation. */
  readonly isKnown: boolean;
}

/** Where a conversation has its prompt cached. */
export interface Pin {
  readonly target: string;
  /** Name of the provider's key: providers cache for each account. */
  readonly key: string;
}

interface Entry extends Pin {
  readonly untilMs: number;
}

/** Targets that have the prompts of conversations cached. */
export class Affinity {
  readonly #clock: Clock;
  /** The entries that were used last come last. */
  readonly #pins = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns where the prompt of a request can be cached. */
  find({ key, isKnown }: Conversation): Pin | undefined {
    const entry = isKnown ? this.#pins.get(key) : undefined;
    return entry !== undefined && entry.untilMs > this.#clock.now() ? entry : undefined;
  }

  /** A target has begun to respond, so that it has the prompt cached. */
  pin({ key, ttlMs }: Conversation, { target, key: name }: Pin): void {
    this.#pins.delete(key);
    this.#pins.set(key, { target, key: name, untilMs: this.#clock.now() + ttlMs });
    for (const oldest of this.#pins.keys()) {
      if (this.#pins.size <= mostPins) break;
      this.#pins.delete(oldest);
    }
  }
}

/**
 * Returns the conversation of a request: by its `prompt_cache_key`, else by the tools up to their first cache hint,
 * else by its messages up to the first cache hint or user message. Conversations of different holders differ.
 *
 * @param scope the route, and the account or API key of the caller
 */
export function conversationOf(request: ChatRequest, scope: string): Conversation {
  const { promptCacheKey, tools, messages } = request;
  const ttlMs = longestHint(request);
  if (promptCacheKey !== "") return { key: digest(scope, "key", promptCacheKey), ttlMs, isKnown: true };
  const hintedTool = tools.findIndex(({ cacheHint }) => cacheHint !== undefined);
  if (hintedTool >= 0) {
    return { key: digest(scope, "tools", ...tools.slice(0, hintedTool + 1).map(textOf)), ttlMs, isKnown: true };
  }
  const first = messages.findIndex(({ role }) => role === Role.USER);
  const hinted = messages.findIndex(({ parts }) => parts.some(({ cacheHint }) => cacheHint !== undefined));
  // Many clients move their only hint to the latest message each time: then the conversation is known by its beginning.
  const ends = [first, hinted].filter((index) => index >= 0);
  const prefix = messages.slice(0, ends.length === 0 ? messages.length : Math.min(...ends) + 1);
  const isKnown = hinted >= 0 || messages.some(({ role }: Message) => role === Role.ASSISTANT);
  return { key: digest(scope, "conversation", ...prefix.map(textOf)), ttlMs, isKnown };
}

function longestHint({ tools, messages }: ChatRequest): number {
  let longest = usualMs;
  const see = (ttl: Parameters<typeof durationMs>[0] | undefined) => {
    if (ttl !== undefined) longest = Math.max(longest, durationMs(ttl));
  };
  for (const { cacheHint } of tools) see(cacheHint?.ttl);
  for (const { parts } of messages) for (const { cacheHint } of parts) see(cacheHint?.ttl);
  return Math.min(longest, 60 * 60 * 1_000);
}

function digest(...texts: readonly string[]): string {
  return hash("sha256", JSON.stringify(texts), "base64url");
}

/** Characters of a text, bytes of media and items of a list that count, beside their number. */
const most = { characters: 4_096, bytes: 64, items: 64 } as const;

/** Returns a short text that is the same for values which differ only in their cache hints. */
function textOf(value: unknown): string {
  return JSON.stringify(outlineOf(value));
}

/** A request has up to 16 MiB, and the beginning of a value suffices to know it again. */
function outlineOf(value: unknown): unknown {
  if (typeof value === "string") {
    return value.length <= most.characters ? value : [value.length, value.slice(0, most.characters)];
  }
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return [value.length, ...value.subarray(0, most.bytes)];
  if (Array.isArray(value)) return [value.length, ...value.slice(0, most.items).map(outlineOf)];
  if (typeof value !== "object" || value === null) return value;
  const outline: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) if (name !== "cacheHint") outline[name] = outlineOf(item);
  return outline;
}
