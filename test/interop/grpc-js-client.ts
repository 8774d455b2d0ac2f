import { create, type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { embedRequest } from "../support/embedding.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { decodeDetails } from "./details.ts";
import type { Story } from "./story.ts";

/** Value of an enum that grpc-js does not export at run time. */
const gzip = 2;

type Result = Omit<Story, "story">;

const completeChat = codec(ChatService.method.completeChat);
const streamChat = codec(ChatService.method.streamChat);
const embed = codec(EmbeddingService.method.embed);
const countTokens = codec(TokenService.method.countTokens);

/** Converts a method to the path and codecs that grpc-js needs. protobuf-es encodes the messages. */
function codec<Input extends DescMessage, Output extends DescMessage>({
  parent,
  name,
  input,
  output,
}: DescMethod & { readonly input: Input; readonly output: Output }) {
  return {
    path: `/${parent.typeName}/${name}`,
    encode: (value: MessageShape<Input>) => Buffer.from(toBinary(input, value)),
    decode: (bytes: Buffer) => fromBinary(output, bytes),
  };
}

/** Returns the code, message and typed details of an error. */
function failure({ code, details: message, metadata }: ServiceError): Result {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const { details } = Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes) : create(StatusSchema);
  const packed = details.map(({ typeUrl, value }) => ({ typeName: typeUrl.replace(/^.*\//, ""), bytes: value }));
  return { code, message, details: decodeDetails(packed) };
}

function identify(name: string): Metadata {
  const metadata = new Metadata();
  metadata.set("x-request-id", `grpc-js-${name}`);
  return metadata;
}

/** Makes a unary call of a method, and reads its response. */
function callUnary<Request, Response>(
  client: Client,
  name: string,
  { path, encode, decode }: { path: string; encode(value: Request): Buffer; decode(bytes: Buffer): Response },
  request: Request,
  read: (response: Response) => Result,
): Promise<Result> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, encode, decode, request, identify(name), (error, response) => {
      if (error) return resolve(failure(error));
      resolve(response === undefined ? {} : read(response));
    });
  });
}

function complete(client: Client, name: string, chat: ChatRequest): Promise<Result> {
  const request = create(ChatService.method.completeChat.input, { chat });
  return callUnary(client, name, completeChat, request, ({ completion }) => {
    const parts = completion?.choices[0]?.message?.parts ?? [];
    const text = parts.map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
    return { text: text.slice(0, 80), length: text.length, output_tokens: completion?.usage?.outputTokens ?? 0 };
  });
}

function vectorsOf(client: Client, name: string): Promise<Result> {
  const request = embedRequest("echo/embed", ["one two", "three"], { dimensions: 4 });
  return callUnary(client, name, embed, request, ({ embeddings, usage }) => ({
    vectors: embeddings.map(({ values }) => values),
    input_tokens: usage?.inputTokens ?? 0,
  }));
}

function count(client: Client, name: string, chat: ChatRequest): Promise<Result> {
  const request = create(TokenService.method.countTokens.input, { chat });
  return callUnary(client, name, countTokens, request, ({ inputTokens }) => ({ input_tokens: inputTokens }));
}

function stream(
  client: Client,
  name: string,
  chat: ChatRequest,
  { timeoutMs, cancelAtDelta }: { timeoutMs?: number; cancelAtDelta?: boolean } = {},
): Promise<Result> {
  const { path, encode, decode } = streamChat;
  const request = create(ChatService.method.streamChat.input, { chat });
  const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  const events: string[] = [];
  let text = "";
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest(path, encode, decode, request, identify(name), options);
    call.on("data", ({ event }: MessageShape<typeof ChatService.method.streamChat.output>) => {
      events.push(String(event.case));
      if (event.case !== "delta") return;
      if (event.value.delta.case === "text") text += event.value.delta.value;
      if (cancelAtDelta) call.cancel();
    });
    call.on("error", (error: ServiceError) => resolve({ events, text, ...failure(error) }));
    call.on("end", () => resolve({ events, text }));
  });
}

/** Makes the same calls as the clients in other languages, and returns the same results. */
export async function tellStories(address: string): Promise<readonly Story[]> {
  const insecure = credentials.createInsecure();
  const client = new Client(address, insecure);
  const squeezing = new Client(address, insecure, { "grpc.default_compression_algorithm": gzip });
  const roomy = new Client(address, insecure, { "grpc.max_receive_message_length": 16 << 20 });

  const deltas = ["so ", "far"];
  const limited = { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 };
  const greeting = scriptEcho({ deltas: ["Bon", "jour ", "tout le ", "monde 🌍"] });
  const stallAfter = (after: number) => scriptEcho({ deltas, stall: { after } });
  const failAfter = (after: number) => scriptEcho({ deltas, fail: { ...limited, after } });
  const invalid = ask("echo/echo", "", { parameters: { temperature: 3, n: 0 } });
  const long = ask("echo/echo", "squeeze me ".repeat(10_000));
  const megabytes = scriptEcho({ text: "a b c d e", large: 1 << 20 });
  const calls: Record<string, (name: string) => Promise<Result>> = {
    unary: (name) => complete(client, name, ask("echo/echo", "hello from grpc-js")),
    stream: (name) => stream(client, name, greeting),
    cancel: (name) => stream(client, name, stallAfter(1), { cancelAtDelta: true }),
    deadline: (name) => stream(client, name, stallAfter(2), { timeoutMs: 500 }),
    limited: (name) => complete(client, name, failAfter(0)),
    interrupted: (name) => stream(client, name, failAfter(2)),
    invalid: (name) => complete(client, name, invalid),
    unknown: (name) => complete(client, name, ask("modèle-日本-😀", "")),
    compressed: (name) => complete(squeezing, name, long),
    too_large: (name) => complete(client, name, megabytes),
    large: (name) => complete(roomy, name, megabytes),
    embed: (name) => vectorsOf(client, name),
    count: (name) => count(client, name, ask("openai/gpt-4o", "one two three")),
  };
  const stories: Story[] = [];
  for (const [story, call] of Object.entries(calls)) stories.push({ story, ...(await call(story)) });
  for (const open of [client, squeezing, roomy]) open.close();
  return stories;
}
