import { expect } from "vitest";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { failureOf, paths, type Reply, type Stage, says, wrongPlaces } from "./support.ts";

/** Models that are called the same over gRPC and over the API that has them. */
export const cerebrasModel = "llama3.1-8b";
export const openModel = "meta-llama/Meta-Llama-3.1-70B-Instruct";

type ChatInit = NonNullable<Parameters<typeof ask>[2]>;

/** The shortest request of each API and of gRPC, with changes. The deployment is `d1` unless another is named. */
export function callers({ post, service }: Pick<Stage, "post" | "service">) {
  return {
    egpChat: (more: object = {}) => post(paths.egpChat, { model: "gpt-4o", messages: says("hi"), ...more }),
    egpDeployment: (more: object = {}, id = "d1") =>
      post(paths.egpDeployment(id), { prompt: "hi", chat_history: [], ...more }),
    cerebras: (more: object = {}) => post(paths.cerebras, { model: cerebrasModel, messages: says("hi"), ...more }),
    deepinfra: (more: object = {}) => post(paths.deepinfra, { model: openModel, messages: says("hi"), ...more }),
    /** Over gRPC, where the rules are those of the model's profile. */
    async grpc(model: string, more: ChatInit = {}): Promise<ChatCompletion> {
      const { completion } = await service.chatClient("grpc").completeChat({ chat: ask(model, "hi", more) });
      if (completion === undefined) throw new Error("the answer has no completion");
      return completion;
    },
  };
}

/** `says` for gRPC: a message of the user for each text. */
export const turns = (...texts: readonly string[]) =>
  texts.map((value) => ({ role: Role.USER, parts: [{ kind: { case: "text", value } as const }] }));

/** A text of so many tokens in OpenAI's vocabularies and in Llama's. */
export const words = (tokens: number) => `hello${" hello".repeat(tokens - 1)}`;

/** How EGP and DeepInfra tell which fields are wrong: the status, and their places. */
export const placesOf = (reply: Reply) => [reply.status, wrongPlaces(reply)];

/** Holds Cerebras' answer to say that a field is wrong. */
export function expectWrongFormat({ status, body }: Reply, field: string): void {
  expect([status, body]).toMatchObject([400, { code: "wrong_api_format" }]);
  expect((body as { message: string }).message.split(": ")[0]).toBe(field);
}

/** Holds a gRPC call to be rejected for these fields of `chat`. */
export async function expectRefused(call: Promise<unknown>, ...fields: readonly string[]): Promise<void> {
  expect(await failureOf(call)).toMatchObject({
    code: "InvalidArgument",
    reason: "INVALID_REQUEST",
    fields: fields.map((field) => `chat.${field}`),
  });
}

/** What an answer of Cerebras, DeepInfra or OpenAI says of its first choice. */
export function firstOf({ body }: Pick<Reply, "body">) {
  const [choice] = (body as { choices: { finish_reason: string; message: { content: string } }[] }).choices;
  return { reason: choice?.finish_reason, text: choice?.message.content };
}
