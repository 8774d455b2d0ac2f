import { Agent, type Dispatcher, request } from "undici";
import { type Caller, conversation, type StreamAnswer, type StreamAsk } from "./caller.ts";

const messages = [
  { role: "system", content: conversation.system },
  { role: "user", content: conversation.user },
];
// Matches the upstream's deltas ` word0`, ` word1` and so on, but not its first chunk, whose content is empty.
const delta = Buffer.from('"content":" word');

/** Calls an OpenAI-compatible HTTP endpoint: the upstream itself, or another gateway in front of it. */
export class HttpCaller implements Caller {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ connections: 256, pipelining: 1 });

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = { "content-type": "application/json", authorization: "Bearer bench", ...headers };
  }

  async #post(body: object): Promise<Dispatcher.ResponseData["body"]> {
    const response = await request(this.#url, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify({ ...body, messages }),
      dispatcher: this.#agent,
    });
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${await response.body.text()}`);
    return response.body;
  }

  async complete(model: string): Promise<void> {
    const body = await this.#post({ model });
    await body.json();
  }

  async stream({ model }: StreamAsk): Promise<StreamAnswer> {
    const begin = performance.now();
    let chunks = 0;
    let firstDeltaMs = Number.NaN;
    const body = await this.#post({ model, stream: true, stream_options: { include_usage: true } });
    for await (const chunk of body) {
      if (
        !(chunk instanceof Uint8Array) ||
        !Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).includes(delta)
      )
        continue;
      if (chunks++ === 0) firstDeltaMs = performance.now() - begin;
    }
    return { messages: chunks, firstDeltaMs };
  }

  open(): Promise<() => void> {
    throw new Error("only gRPC servers are measured with open streams");
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}
