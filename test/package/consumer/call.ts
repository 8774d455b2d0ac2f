// A program that uses the installed package: it calls the service at the address in its first argument.

import {
  BadRequestSchema,
  Code,
  ConnectError,
  createDragomanClient,
  ErrorInfoSchema,
  type Message,
  Role,
} from "dragoman/client";

const { chat, models } = createDragomanClient(process.argv[2] ?? "", { timeoutMs: 30_000 });

const messages = [{ role: Role.USER, parts: [{ kind: { case: "text" as const, value: "the capital of France" } }] }];
const request = { model: "echo/echo", messages };

function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}

const { completion } = await chat.completeChat({ chat: request });
console.log(`unary: ${textOf(completion?.choices[0]?.message)}`);

let text = "";
for await (const { event } of chat.streamChat({ chat: request })) {
  if (event.case === "delta" && event.value.delta.case === "text") text += event.value.delta.value;
  if (event.case === "completed") console.log(`stream: ${text}, ${event.value.usage?.outputTokens} tokens`);
}

try {
  await chat.completeChat({ chat: { ...request, parameters: { temperature: 3 } } });
} catch (error) {
  const failed = ConnectError.from(error);
  const [info] = failed.findDetails(ErrorInfoSchema);
  const [violation] = failed.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  console.log(`error: ${Code[failed.code]} ${info?.reason} ${violation?.field}`);
}

const { model } = await models.getModel({ id: "echo/echo" });
console.log(`model: ${model?.id}`);
