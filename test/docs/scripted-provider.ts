import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { streamEnd, textChunk } from "../support/openai-wire.ts";

/** What a provider does with a request: it responds with text, sends an error, or sends nothing. */
export type Behavior =
  | "responds"
  | "is silent"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** A provider whose behavior a test can change: a real HTTP server with OpenAI's or Anthropic's API. */
export interface ScriptedProvider extends AsyncDisposable {
  readonly baseUrl: string;
  /** API keys of the requests so far. */
  readonly keys: readonly string[];
  /** Decides by the API key. Default: the provider responds. */
  behave: (key: string) => Behavior;
}

/** @param name text of each response */
export async function startProvider(name: string): Promise<ScriptedProvider> {
  const keys: string[] = [];
  const server = createServer(async (request, response) => {
    await text(request);
    const key = keyOf(request);
    keys.push(key);
    const behavior = provider.behave(key);
    if (behavior === "is silent") return;
    if (behavior === "responds")
      respond(response, request.url?.endsWith("/messages") ? messageEvents(name) : chunks(name));
    else fail(response, behavior.status, behavior.headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const provider: ScriptedProvider = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    behave: () => "responds",
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;
}

function keyOf({ headers }: IncomingMessage): string {
  const key = headers["x-api-key"] ?? headers["api-key"] ?? headers.authorization?.replace("Bearer ", "");
  return String(key ?? "");
}

function respond(response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
}

function fail(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  const error = { message: "no", type: "error", code: "no" };
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify({ error }));
}

function chunks(name: string): string {
  return textChunk(name) + streamEnd;
}

function messageEvents(name: string): string {
  const usage = { input_tokens: 3, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], usage };
  const events = [
    { type: "message_start", message },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: name } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}
