import { toJsonString } from "@bufbuild/protobuf";
import { type ChatCompletion, ChatCompletionSchema } from "../../gen/dragoman/v1/completion_pb.js";
import { defineCommand } from "../command.ts";
import { CommandError, InterruptedError, UsageError } from "../failures.ts";
import { withService } from "../remote/connection.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { stylesFor } from "../styles.ts";
import { escapeControls } from "../terminal-text.ts";
import { type Answer, streamAnswer } from "./answer.ts";
import { AnswerPrinter } from "./answer-printer.ts";
import { chatRequest } from "./chat-request.ts";
import { runDialog } from "./dialog.ts";
import { readPrompt } from "./prompt.ts";
import { requestOptions } from "./request-options.ts";
import { summarize } from "./summary.ts";

export const command = defineCommand({
  description: `Calls a model of a running service, and prints the response as it comes. Standard output gets
only the text; reasoning, tool calls, warnings and a line with tokens, cost and times go to standard
error. Without a service, \`dragoman serve\` starts one.
In a terminal, without a prompt, it is a dialog: Ctrl-C cancels a response, Ctrl-D ends.`,
  options: {
    ...requestOptions,
    continue: { type: "boolean", help: "go on with a dialog after the response to the prompt" },
    json: { type: "boolean", help: "print the whole response as JSON (ChatCompletion), at its end" },
    quiet: { type: "boolean", help: "print only the text" },
    ...connectionOptions,
  },
  rest: ["prompt", "the prompt, with standard input in place of -; default: standard input"],
  examples: [
    ["Ask a model; echo/echo needs no provider", 'chat "What is the capital of France?" --model echo/echo'],
    ["Summarize a file with a reasoning model", "chat - --model openai/gpt-5.5 --thinking low < report.txt"],
    ["Describe an image, as JSON of a schema", 'chat "Describe it" --model chat-fast --image a.png --schema s.json'],
    ["Begin a dialog with a service elsewhere", "chat --model chat-fast --address https://models.example:443"],
  ],
  async run(values, _, shell, words) {
    const { json = false, quiet = false } = values;
    const { openDialog } = shell;
    if (values.continue && openDialog === undefined) throw new UsageError("--continue needs a terminal");
    if (json && values.continue) throw new UsageError("--json and --continue cannot be combined");
    const prompt = await readPrompt(words, shell);
    if (json && prompt === undefined) throw new UsageError("--json needs a prompt; write it as an argument");
    const request = chatRequest(values, prompt ?? "");
    await withService(
      values,
      shell,
      async (connection) => {
        const printer = new AnswerPrinter(shell, quiet);
        const { dim } = stylesFor(shell.stderr, shell.environment);
        const ask = async (signal?: AbortSignal, chat = request): Promise<Answer> => {
          const answer = await streamAnswer(connection, chat, json ? undefined : printer, signal);
          if (json) shell.stdout.write(`${jsonOf(answer.completion)}\n`);
          else printer.note(dim(summarize(answer.completion, answer.times)));
          return answer;
        };
        if (openDialog === undefined || (prompt !== undefined && !values.continue)) {
          await ask();
          return;
        }
        await runDialog(openDialog(), request, async (chat, signal) => {
          try {
            return (await ask(signal, chat)).completion;
          } catch (error) {
            const failure = connection.failureOf(error);
            if (signal.aborted) printer.note(dim("cancelled; the turn is no part of the conversation"));
            else if (failure instanceof CommandError) shell.stderr.write(`dragoman: ${failure.message}\n`);
            else throw failure;
            if (failure instanceof InterruptedError) throw failure;
            return undefined;
          }
        });
        // Ctrl-D leaves the cursor behind the prompt.
        shell.stderr.write("\n");
      },
      { account: values.account },
    );
  },
});

function jsonOf(completion: ChatCompletion): string {
  return escapeControls(toJsonString(ChatCompletionSchema, completion));
}
