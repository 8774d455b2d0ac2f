import { createParser } from "eventsource-parser";
import type { RecordedRequest, ReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import type { Api, Client, Lab } from "./client.ts";
import { type Provider, providers } from "./providers.ts";
import type { AnswerLog } from "./published.ts";
import { startUpstream } from "./upstream.ts";

/** One service with all providers of the matrix, and the server that replays them. */
export interface Stage extends AsyncDisposable {
  readonly service: TestService;
  readonly upstream: ReplayUpstream;
  /** Resolves when the next call may ask its provider. */
  nextCall(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const upstream = await startUpstream();
  const environment = Object.assign({}, ...providers.map((provider) => provider.environment(upstream.baseUrl)));
  const waiting: (() => void)[] = [];
  const observer = {
    starting() {
      for (const resolve of waiting.splice(0)) resolve();
      return undefined;
    },
  };
  const service = await startTestService(environment, undefined, undefined, [], { observers: [observer] });
  return {
    service,
    upstream,
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** One cell of the matrix: what its client did, and what its provider got. */
export interface Cell extends Lab {
  /** Cities for which the client ran its tool. */
  readonly cities: readonly string[];
  /** Requests that the provider got of this cell. */
  requests(): readonly RecordedRequest[];
  /** Resolves with the next request that the provider gets. */
  nextRequest(): Promise<RecordedRequest>;
}

/** Prepares a cell. Records of earlier cells are skipped. */
export function prepare({ service, upstream }: Stage, client: Client, provider: Provider, log: AnswerLog): Cell {
  service.forgetRecords();
  const before = upstream.requests.length;
  const cities: string[] = [];
  return {
    provider,
    url: `http://${service.httpAddress}`,
    fetch: async (input, init) => recorded(await fetch(input, init), client.api, log),
    toolPrompt: provider.toolPrompt(client.tool),
    runTool(city) {
      cities.push(city);
      return provider.resultOf(city, client.tool);
    },
    cities,
    requests: () => upstream.requests.slice(before),
    nextRequest: () => upstream.nextRequest(),
  };
}

/** Passes a response on, and adds it to the log: an event when it has arrived, another response when it is whole. */
export function recorded(response: Response, api: Api | "embeddings", log: AnswerLog): Response {
  const { body, status, headers, statusText } = response;
  if (body === null) return response;
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const decoder = new TextDecoder();
  const events: object[] = [];
  const parser = createParser({
    onEvent({ data }) {
      // The end mark of chat completions is no event.
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      log.add(api, "event", event);
      events.push(event);
      if (/^response\.(completed|incomplete|failed)$/.test(event.type)) log.streams.push(events);
    },
  });
  let text = "";
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const piece = decoder.decode(bytes, { stream: true });
      if (isStream) parser.feed(piece);
      else text += piece;
      controller.enqueue(bytes);
    },
    flush() {
      if (!isStream) log.add(api, status === 200 ? "answer" : "error", JSON.parse(text));
    },
  });
  return new Response(body.pipeThrough(tap), { status, headers, statusText });
}
