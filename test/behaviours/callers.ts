import { expect } from "vitest";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { failureOf, paths, type Reply, type Stage, says, wrongPlaces } from "./support.ts";

/** Models whose names are the same over gRPC and in their HTTP API. */
export const cerebrasModel = "llama3.1-8b";
export const openModel = "meta-llama/Meta-Llama-3.1-70B-Instruct";

type ChatInit = NonNullable<Parameters<typeof ask>[2]>;

/** Functions that send a minimal request over each API and gRPC, with further fields. Default deployment: `d1`. */
export function callers({ post, service }: Pick<Stage, "post" | "service">) {
  return {
    egpChat: (more: object = {}) => post(paths.egpChat, { model: "gpt-4o", messages: says("hi"), ...more }),
    egpDeployment: (more: object = {}, id = "d1") =>
      post(paths.egpDeployment(id), { prompt: "hi", chat_history: [], ...more }),
    cerebras: (more: object = {}) => post(paths.cerebras, { model: cerebrasModel, messages: says("hi"), ...more }),
    deepinfra: (more: object = {}) => post(paths.deepinfra, { model: openModel, messages: says("hi"), ...more }),
    /** Calls gRPC, where no API's rules apply unless the request has a profile. */
    async grpc(model: string, more: ChatInit = {}): Promise<ChatCompletion> {
      const { completion } = await service.chatClient("grpc").completeChat({ chat: ask(model, "hi", more) });
      if (completion === undefined) throw new Error("the response has no completion");
      return completion;
    },
  };
}

/** Makes gRPC user messages, one for each text. */
export const turns = (...texts: readonly string[]) =>
  texts.map((value) => ({ role: Role.USER, parts: [{ kind: { case: "text", value } as const }] }));

/** Makes a text with this number of tokens in OpenAI's and Llama's vocabularies. */
export const words = (tokens: number) => `hello${" hello".repeat(tokens - 1)}`;

/** Returns the status and the violation locations of an EGP or DeepInfra error. */
export const placesOf = (reply: Reply) => [reply.status, wrongPlaces(reply)];

/** Expects Cerebras' error for one invalid field. */
export function expectWrongFormat({ status, body }: Reply, field: string): void {
  expect([status, body]).toMatchObject([400, { code: "wrong_api_format" }]);
  expect((body as { message: string }).message.split(": ")[0]).toBe(field);
}

/** Expects that a gRPC call is rejected because of these fields of `chat`. */
export async function expectRefused(call: Promise<unknown>, ...fields: readonly string[]): Promise<void> {
  expect(await failureOf(call)).toMatchObject({
    code: "InvalidArgument",
    reason: "INVALID_REQUEST",
    fields: fields.map((field) => `chat.${field}`),
  });
}

/** Returns finish reason and text of the first choice of a Cerebras, DeepInfra or OpenAI response. */
export function firstOf({ body }: Pick<Reply, "body">) {
  const [choice] = (body as { choices: { finish_reason: string; message: { content: string } }[] }).choices;
  return { reason: choice?.finish_reason, text: choice?.message.content };
}
