// A small client of Dragoman. It calls the model echo/echo, which needs no provider: echo repeats the last message, or
// follows the script in it.

import { create } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChatRequestSchema } from "./gen/dragoman/v1/chat_request_pb.js";
import { ChatService } from "./gen/dragoman/v1/chat_service_pb.js";
import { CallInfoSchema } from "./gen/dragoman/v1/error_pb.js";
import { type Message, MessageSchema, Role } from "./gen/dragoman/v1/message_pb.js";
import { GenerationParametersSchema } from "./gen/dragoman/v1/parameters_pb.js";
import { ToolSchema } from "./gen/dragoman/v1/tool_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

type Service = Client<typeof ChatService>;

async function main(): Promise<void> {
  const address = process.env.DRAGOMAN_ADDRESS ?? "127.0.0.1:50051";
  const service = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${address}` }));
  await unary(service);
  await stream(service);
  await tool(service);
  await cancel(service);
  await failure(service);
}

async function unary(service: Service): Promise<void> {
  const { completion } = await service.completeChat({ chat: chat(user("hello, world")) });
  console.log(`unary: ${textOf(completion?.choices[0]?.message)} (${completion?.usage?.outputTokens} output tokens)`);
}

async function stream(service: Service): Promise<void> {
  process.stdout.write("stream: ");
  for await (const { event } of service.streamChat({ chat: chat(user("hello again, world")) })) {
    if (event.case === "delta" && event.value.delta.case === "text") process.stdout.write(event.value.delta.value);
    if (event.case === "completed") console.log(` (${event.value.usage?.outputTokens} output tokens)`);
  }
}

/** Runs the function that the model calls, and sends its result back. */
async function tool(service: Service): Promise<void> {
  const request = chat(user('{"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}'));
  const getWeather = {
    name: "get_weather",
    description: "Returns the current weather of a city.",
    parametersJsonSchema: '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
  };
  request.tools.push(create(ToolSchema, { kind: { case: "function", value: getWeather } }));
  const answer = (await service.completeChat({ chat: request })).completion?.choices[0]?.message;
  if (answer === undefined) throw new Error("the response has no message");
  request.messages.push(answer); // Unchanged: providers need all of its parts back.
  for (const { kind } of answer.parts) {
    if (kind.case !== "toolCall") continue;
    console.log(`tool call: ${kind.value.name} ${kind.value.argumentsJson}`);
    request.messages.push(toolResult(kind.value.id, "18 degrees and sunny"));
  }
  const { completion } = await service.completeChat({ chat: request });
  console.log(`tool answer: ${textOf(completion?.choices[0]?.message)}`);
}

/** Cancels a stream at its first delta. Dragoman then aborts the upstream request. */
async function cancel(service: Service): Promise<void> {
  const script = '{"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}';
  const abort = new AbortController();
  let text = "";
  try {
    for await (const { event } of service.streamChat({ chat: chat(user(script)) }, { signal: abort.signal })) {
      if (event.case !== "delta") continue;
      if (event.value.delta.case === "text") text += event.value.delta.value;
      abort.abort();
    }
  } catch (error) {
    console.log(`cancel: status ${ConnectError.from(error).code} after ${text}`);
  }
}

/** Sends an invalid request and prints the details of the error. */
async function failure(service: Service): Promise<void> {
  const request = chat(user("hello"));
  request.parameters = create(GenerationParametersSchema, { temperature: 3 });
  try {
    await service.completeChat({ chat: request });
  } catch (error) {
    const failed = ConnectError.from(error);
    console.log(`error: status ${failed.code}`);
    for (const { domain, reason } of failed.findDetails(ErrorInfoSchema)) console.log(`reason: ${domain} ${reason}`);
    for (const { fieldViolations } of failed.findDetails(BadRequestSchema))
      for (const { field, description } of fieldViolations) console.log(`violation: ${field}: ${description}`);
    for (const { callId } of failed.findDetails(CallInfoSchema)) console.log(`call: ${callId}`);
  }
}

function chat(...messages: Message[]) {
  return create(ChatRequestSchema, { model: "echo/echo", messages });
}

function user(text: string): Message {
  return create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: text } }] });
}

function toolResult(toolCallId: string, text: string): Message {
  const result = { toolCallId, parts: [{ kind: { case: "text" as const, value: text } }] };
  return create(MessageSchema, { role: Role.TOOL, parts: [{ kind: { case: "toolResult", value: result } }] });
}

/** Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add. */
function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}

await main();
