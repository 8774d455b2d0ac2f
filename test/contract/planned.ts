import { create } from "@bufbuild/protobuf";
import { type Plan, planChat } from "../../src/calls/plan.ts";
import { ownWords } from "../../src/chat/planning/caller-words.ts";
import { profileTexts } from "../../src/chat/planning/profile-texts.ts";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { counting } from "../support/counting.ts";
import type { Dialect, Init } from "./dialect.ts";

export interface Planned extends Plan {
  /** Body of the upstream request. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Plans a request, as the service does for a valid one, and returns the plan with the body of the upstream request. */
export async function planFor(
  { model: own, create: make }: Pick<Dialect, "model" | "create">,
  request: Init<typeof ChatRequestSchema>,
  model: Model = own,
): Promise<Planned> {
  const messages = [{ role: Role.USER, parts: [{ kind: { case: "text" as const, value: "Answer in JSON." } }] }];
  const chat = create(ChatRequestSchema, { messages, ...request, model: model.id });
  const adapter = make("http://127.0.0.1:9");
  const plan = await planChat(
    { chat, profile: profiles.plain, profileTexts: profileTexts("plain", "default", ownWords), deployment: undefined },
    { model, adapter },
    {
      ...{ account: "", holder: "account:a", streamed: false, maxValues: 1000 },
      ...{ counting: counting.limits, signal: new AbortController().signal },
    },
  );
  return { ...plan, body: JSON.parse(stringifyExact(plan.target.adapter.describe(plan.request, model, plan.prompt))) };
}
