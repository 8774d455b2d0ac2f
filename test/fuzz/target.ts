import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { providers } from "../../src/providers/registry.ts";
import { type Dialect, isApplicable } from "../contract/dialect.ts";
import { dialects } from "../contract/load-dialects.ts";
import { type ServiceProcess, startCommand } from "../support/process.ts";
import { everyModelIsEcho } from "../surfaces/apis.ts";
import type { Report } from "./probe.ts";
import { toBytes } from "./shot.ts";
import { type HostileUpstream, startHostileUpstream } from "./upstream.ts";

const root = new URL("../..", import.meta.url).pathname;

/** The service under attack, with every provider at one hostile upstream. */
export interface Target extends AsyncDisposable {
  readonly service: ServiceProcess;
  readonly upstream: HostileUpstream;
  /** Calls `take` with each line of the log from now on. */
  onLog(take: (line: Record<string, unknown>) => void): void;
  report(): Promise<Report>;
}

const anyServer = "chat-completions";

/** Version of LLM Engine's API: a process serves one of the two. */
export type LlmEngineApi = "v1" | "v2";

interface Options {
  readonly llmEngine?: LlmEngineApi;
  /** Module that plants a fault in the service. */
  readonly plant?: string;
}

/** The id of a dialect's model with the name of the provider. */
export const modelOf = ({ model }: Dialect): string => `${model.provider}/${model.providerModel}`;

export async function startTarget({ llmEngine = "v2", plant }: Options = {}): Promise<Target> {
  const upstream = await startHostileUpstream(usualReply);
  const folder = mkdtempSync(join(tmpdir(), "dragoman-fuzz-"));
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `${everyModelIsEcho}\n${configuration(llmEngine, upstream.baseUrl)}`);
  const imports = [new URL("probe.ts", import.meta.url).href, ...(plant === undefined ? [] : [plant])];
  const parameters = imports.flatMap((module) => ["--import", module]);
  const service = await startCommand([process.execPath, ...parameters, `${root}src/main.ts`], {
    environment: { DRAGOMAN_CONFIG: file, ...addresses(upstream.baseUrl) },
    stdout: "unread",
    channel: true,
  });
  rmSync(folder, { recursive: true });
  const { stdout } = service.child;
  if (stdout === null) throw new Error("standard output is not a pipe");
  const lines = createInterface({ input: stdout });
  return {
    service,
    upstream,
    onLog: (take) => lines.on("line", (line) => take(JSON.parse(line))),
    async report() {
      const answer = once(service.child, "message");
      // The process can end in the meantime, which `exited` tells.
      service.child.send("report", () => {});
      const result = await Promise.race([answer, service.exited.then(() => undefined)]);
      if (result === undefined) throw new Error("the process ended");
      return result[0] as Report;
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Environment that configures every provider. */
function addresses(baseUrl: string): Record<string, string> {
  const variables = providers.flatMap(({ variables: { apiKey, baseUrl: url } }) => [
    ...(apiKey === undefined ? [] : [[apiKey, "fuzz-key"]]),
    ...(url === undefined ? [] : [[url, baseUrl]]),
  ]);
  return Object.fromEntries(variables);
}

/** Short timeouts, so that a silent provider does not slow the run. */
function configuration(api: LlmEngineApi, baseUrl: string): string {
  const timeouts = { connect: "1s", first_event: "300ms", idle: "300ms" };
  const sections = providers
    .filter(({ variables }) => variables.baseUrl !== undefined)
    .map(({ name }) => [name, { timeouts, ...(name === "llm-engine" && { options: { api, cold_start_ms: 300 } }) }]);
  // The dialect of servers that Dragoman does not know, under its own name.
  const added = [anyServer, { dialect: anyServer, base_url: baseUrl, timeouts }];
  return `providers: ${JSON.stringify(Object.fromEntries([...sections, added]))}\nlimits: { max_call_duration: 10s }\n`;
}

/** Responds as a healthy provider: plain text in the form that the request names. */
function usualReply(request: string) {
  const body = request.slice(request.indexOf("\r\n\r\n"));
  const dialect = dialects.find(({ model }) => request.includes(model.providerModel));
  const plain = dialect?.answers["plain text"];
  const wire = plain !== undefined && isApplicable(plain) ? plain.wire : "{}";
  const isStream = /"stream": ?true/.test(body) || /stream/i.test(request.split("\r\n", 1)[0] ?? "");
  const text = isStream ? toBytes(Buffer.from(wire)) : (dialect && wholeOf(dialect)) || "{}";
  const type = isStream ? (dialect?.headers?.["content-type"] ?? "text/event-stream") : "application/json";
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${text.length}\r\n\r\n`;
  return { response: [{ bytes: head + text }], end: "keep open" as const };
}

function wholeOf({ whole, answers }: Dialect): string | undefined {
  const plain = answers["plain text"];
  if (!isApplicable(whole) || !isApplicable(plain)) return undefined;
  const body = typeof plain.whole === "string" ? plain.whole : whole.toBody(Buffer.from(plain.wire).toString());
  return body === undefined ? undefined : toBytes(Buffer.from(body));
}
