import { toJsonString } from "@bufbuild/protobuf";
import { ChatService, PlanChatResponseSchema } from "../../gen/dragoman/v1/chat_service_pb.js";
import { chatRequest } from "../chat/chat-request.ts";
import { readPrompt } from "../chat/prompt.ts";
import { requestOptions } from "../chat/request-options.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { withService } from "../remote/connection.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { stylesFor } from "../styles.ts";
import { escapeControls } from "../terminal-text.ts";
import { describePlan } from "./describe-plan.ts";

export const command = defineCommand({
  description: `Shows what a call would do, without the call and without tokens: which target gets it and why, the
parameters with all defaults, and each change that the model needs. It takes the options of chat.`,
  options: {
    ...requestOptions,
    body: { type: "boolean", help: "also print the request that the provider would get" },
    json: { type: "boolean", help: "print JSON (PlanChatResponse)" },
    ...connectionOptions,
  },
  rest: ["prompt", "the prompt, with standard input in place of -; default: standard input"],
  examples: [
    ["See which target of a route would respond", 'plan "Hello" --model chat-fast'],
    ["See what becomes of a parameter", 'plan "Hello" --model openai/gpt-5.5 --temperature 0.2 --body'],
  ],
  async run(values, _, shell, words) {
    const prompt = await readPrompt(words, shell);
    if (prompt === undefined) throw new UsageError("the prompt is missing; write it as an argument");
    const chat = chatRequest(values, prompt);
    const { stdout, environment } = shell;
    const plan = await withService(
      values,
      shell,
      ({ client, callOptions }) => client(ChatService).planChat({ chat }, callOptions()),
      { timeoutMs: 30_000, account: values.account },
    );
    stdout.write(
      values.json
        ? `${escapeControls(toJsonString(PlanChatResponseSchema, plan))}\n`
        : describePlan(plan, stylesFor(stdout, environment), values.body ?? false),
    );
  },
});
