import { create, toBinary } from "@bufbuild/protobuf";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { scriptEcho } from "../support/requests.ts";
import { grpcRequest, jsonRequest, type Outcome, shoot } from "./shoot.ts";
import type { Target } from "./target.ts";

const message = toBinary(
  CompleteChatRequestSchema,
  create(CompleteChatRequestSchema, { chat: scriptEcho({ text: "hi" }) }),
);
const openai = { model: "echo/echo", messages: [{ role: "user", content: "hi" }] };
const healthy = [grpcRequest("CompleteChat", message), jsonRequest("/v1/chat/completions", JSON.stringify(openai))];

/** Makes a healthy call on each listener. */
export function checkHealth(target: Target): Promise<readonly Outcome[]> {
  return Promise.all(
    healthy.map(async (shot) => {
      const outcome = await shoot(target, shot);
      const problem = outcome.problem ?? (outcome.ids.length === 1 ? undefined : "the response names no call");
      return { ...outcome, problem: problem && `a healthy call over ${shot.to} failed: ${problem}` };
    }),
  );
}

const warmUpCalls = 15;

/** Makes healthy calls, so that the code of usual calls is compiled. */
export async function warmUp(target: Target): Promise<void> {
  for (let index = 0; index < warmUpCalls; index++) await checkHealth(target);
}
