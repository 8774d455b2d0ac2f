import type { Interface } from "node:readline";
import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import { type Message, MessageSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import { printable } from "../table.ts";

/** Calls the model with a request. Undefined: the call failed or was cancelled, which the user knows. */
type Call = (request: ChatRequest, signal: AbortSignal) => Promise<ChatCompletion | undefined>;

/**
 * Asks for prompts and calls the model with the whole conversation, until the user ends the input with Ctrl-D. Ctrl-C
 * cancels the call, or else discards the written line. A turn whose call fails is no part of the conversation.
 *
 * @param first The request of the first turn, whose messages the first prompt follows
 */
export async function runDialog(lines: Interface, first: ChatRequest, call: Call): Promise<void> {
  let conversation: readonly Message[] = first.messages;
  let running: AbortController | undefined;
  lines.on("SIGINT", () => {
    if (running !== undefined) running.abort();
    // Ctrl-U discards the line in every terminal.
    else lines.write(null, { ctrl: true, name: "u" });
  });
  const input = lines[Symbol.asyncIterator]();
  const ask = async (prompt: string): Promise<string | undefined> => {
    lines.setPrompt(prompt);
    lines.prompt();
    const { done, value } = await input.next();
    return done ? undefined : value;
  };
  try {
    // A prompt of the command line is the first turn.
    let turn: readonly Message[] | undefined = isAsked(conversation) ? [] : await nextTurn(conversation, ask);
    while (turn !== undefined) {
      const messages = [...conversation, ...turn];
      running = new AbortController();
      const completion = await call({ ...first, messages }, running.signal);
      running = undefined;
      const message = completion?.choices[0]?.message;
      if (message !== undefined) conversation = [...messages, message];
      // The prompt of the command line failed: its content stays out of the conversation, as that of any other turn.
      else if (turn.length === 0) conversation = conversation.filter(({ role }) => role === Role.SYSTEM);
      turn = await nextTurn(conversation, ask);
    }
  } finally {
    lines.close();
  }
}

function isAsked(conversation: readonly Message[]): boolean {
  const last = conversation.at(-1);
  return last?.role === Role.USER && last.parts.some(({ kind }) => kind.case === "text");
}

/** Asks for the results of the tools that the model called, else for a prompt. Undefined: the input ended. */
async function nextTurn(
  conversation: readonly Message[],
  ask: (prompt: string) => Promise<string | undefined>,
): Promise<readonly Message[] | undefined> {
  const last = conversation.at(-1);
  const calls = (last?.parts ?? []).flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value] : []));
  if (last?.role === Role.ASSISTANT && calls.length > 0) {
    const results: Message[] = [];
    for (const { id, name } of calls) {
      const text = await ask(`result of ${printable(name)}> `);
      if (text === undefined) return undefined;
      const parts = [{ kind: { case: "text" as const, value: text } }];
      const kind = { case: "toolResult" as const, value: { toolCallId: id, parts } };
      results.push(create(MessageSchema, { role: Role.TOOL, parts: [{ kind }] }));
    }
    return results;
  }
  for (;;) {
    const text = await ask("> ");
    if (text === undefined) return undefined;
    if (text.trim() === "") continue;
    const parts = [{ kind: { case: "text" as const, value: text } }];
    return [create(MessageSchema, { role: Role.USER, parts })];
  }
}
