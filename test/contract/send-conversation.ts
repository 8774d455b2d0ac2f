import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { type Plan, planChat } from "../../src/calls/plan.ts";
import { ownWords } from "../../src/chat/planning/caller-words.ts";
import { profileTexts } from "../../src/chat/planning/profile-texts.ts";
import { annotationViolations } from "../../src/chat/validation/annotations.ts";
import { requestViolations } from "../../src/chat/validation/request-rules.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { MessageSchema } from "../../src/gen/dragoman/v1/message_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { counting } from "../support/counting.ts";
import { functionTool } from "../support/tools.ts";
import type { ConversationRules, Dialect, SentItem } from "./dialect.ts";

export type Messages = readonly MessageInitShape<typeof MessageSchema>[];

export interface Sent {
  readonly plan: Plan;
  /** Body of the upstream request as text. */
  readonly body: string;
  readonly items: readonly SentItem[];
}

/**
 * Validates and plans a conversation, and returns what the adapter sends. `tools`: names of the functions. `more`:
 * other fields of the request.
 */
export async function send(
  dialect: Dialect,
  { read }: ConversationRules,
  messages: Messages,
  tools: readonly string[] = ["look"],
  more: object = {},
): Promise<Sent> {
  const chat = create(ChatRequestSchema, {
    model: dialect.model.id,
    messages: [...messages],
    tools: tools.map((name) => functionTool({ name })),
    ...more,
  });
  const { plan, body } = await planFor(dialect, chat);
  return { plan, body, items: read(JSON.parse(body)) };
}

/** Validates and plans a request, and returns the body of the upstream request. */
export async function planFor(dialect: Dialect, chat: ChatRequest): Promise<Omit<Sent, "items">> {
  const { model } = dialect;
  expect(await annotationViolations(ChatRequestSchema, chat)).toEqual([]);
  expect(requestViolations(chat, 1000)).toEqual([]);
  const adapter = dialect.create("http://127.0.0.1:9");
  const texts = profileTexts("plain", "default", ownWords);
  const plan = await planChat(
    { chat, profile: profiles.plain, profileTexts: texts, deployment: undefined },
    { model, adapter },
    {
      ...{ account: "", holder: "account:a", streamed: false, maxValues: 1000 },
      ...{ counting: counting.limits, signal: new AbortController().signal },
    },
  );
  return { plan, body: stringifyExact(plan.target.adapter.describe(plan.request, model, plan.prompt)) };
}
