import { bytesOf, type Dialect, type ErrorCase, isApplicable, isBytes, type SentItem } from "../../contract/dialect.ts";
import type { Answer, Block } from "../../contract/generated/answer.ts";
import { writers } from "../../contract/generated/writers.ts";
import { type RecordedRequest, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import {
  calledTool,
  type Failure,
  failures,
  greeting,
  half,
  type Prompt,
  type Provider,
  place,
  prompts,
  providers,
  signature,
  thought,
} from "./providers.ts";

/** One server with the APIs of all replayed providers, each below a path with the provider's name. */
export async function startUpstream() {
  const rows = new Map(providers.map((provider) => [provider.name, provider]));
  return await startReplayUpstream((request) => {
    const provider = rows.get(request.path.split("/")[1] ?? "");
    if (provider?.dialect === undefined) return { status: 404, steps: [{ write: `no provider at ${request.path}` }] };
    const { dialect, second } = provider;
    return replyTo(request, provider, second && request.path.endsWith(second.path) ? second.dialect : dialect);
  });
}

const text = (...pieces: readonly string[]): Block => ({ kind: "text", pieces });
const never = new Promise<never>(() => {});

/** Answers as the provider does, with what the model says in the conversation of a request. */
function replyTo(request: RecordedRequest, provider: Provider, dialect: Dialect): Script {
  const items = itemsOf(request, dialect);
  const isStreamed = asksForStream(request);
  const reply = (blocks: readonly Block[]) => play(dialect, isStreamed, blocks, provider.sign);
  const tool = items.map((item) => calledTool.exec(item.text)?.[1]).find((name) => name !== undefined);
  if (tool !== undefined) return reply(nextTurn(items, tool, provider));
  const names = Object.keys(prompts) as Prompt[];
  const name = names.find((each) => items.some((item) => item.text === prompts[each]));
  switch (name) {
    case "text":
      return reply([text(...greeting)]);
    case "json":
      return reply([text(JSON.stringify(place).slice(0, 9), JSON.stringify(place).slice(9))]);
    case "stall":
      return isStreamed ? halfway(dialect, { hold: never }) : { holdHeaders: never };
    case "cut":
      return halfway(dialect, { cut: true });
    case "limited":
    case "down":
    case "rejected":
      return failWith(dialect, name);
    default:
      return { status: 418, steps: [{ write: "no prompt of the matrix" }] };
  }
}

/** Returns what the model says in the tool conversation: the calls of each round, then a report of the results. */
function nextTurn(items: readonly SentItem[], tool: string, { rounds, state }: Provider): readonly Block[] {
  const results = items.filter(({ kind }) => kind === "result");
  const cities = rounds.flat();
  const report = cities.map((city, index) => `${city}: ${results[index]?.text}.`).join(" ");
  if (results.length >= cities.length) return [text(report)];
  const round = rounds.find((_, index) => rounds.slice(0, index).flat().length === results.length) ?? [];
  const thinks: Block[] = state === undefined ? [] : [{ kind: "thought", pieces: [thought], signature }];
  return [
    ...thinks,
    ...round.map((city): Block => {
      const id = `call${String(cities.indexOf(city)).padStart(5, "0")}`;
      return { kind: "call", id, name: tool, pieces: ['{"city":', `"${city}"}`] };
    }),
  ];
}

/** Returns the calls, results and texts of a request. */
function itemsOf({ body }: RecordedRequest, { conversation }: Dialect): readonly SentItem[] {
  return isApplicable(conversation) ? conversation.read(JSON.parse(body)) : [];
}

function asksForStream({ path, body }: RecordedRequest): boolean {
  return JSON.parse(body).stream === true || /streamGenerateContent|converse-stream/.test(path);
}

function write({ reader }: Dialect, answer: Pick<Answer, "blocks" | "end">): string | Uint8Array {
  const wire = writers[reader]?.write({ ...answer, hasUsage: true, interleaved: false });
  if (wire === undefined) throw new Error(`there is no writer for ${reader}`);
  return wire;
}

function play(dialect: Dialect, isStreamed: boolean, blocks: readonly Block[], sign?: Provider["sign"]): Script {
  const plain = write(dialect, { blocks, end: "reason" });
  const wire = typeof plain === "string" && sign ? sign(plain) : plain;
  if (isStreamed) return { ...(dialect.headers && { headers: dialect.headers }), steps: [{ write: wire }] };
  const whole = bytesOf(dialect, "whole", { wire });
  if (!isBytes(whole)) throw new Error(`the API ${dialect.name} has no whole form: ${whole.why}`);
  return { headers: { "content-type": "application/json" }, steps: [{ write: whole }] };
}

/** Begins a stream, and then does as the step says. */
function halfway(dialect: Dialect, then: NonNullable<Script["steps"]>[number]): Script {
  const wire = write(dialect, { blocks: [text(half)], end: "cut" });
  return { ...(dialect.headers && { headers: dialect.headers }), steps: [{ write: wire }, then] };
}

/** Returns the error of a provider's table by which it reports a failure. */
function errorOf({ errors, name }: Dialect, failure: Failure): ErrorCase {
  const found = errors.find(({ reason, status, body }) => reason === failures[failure] && status >= 400 && body !== "");
  if (found === undefined) throw new Error(`the error table of ${name} has no ${failures[failure]}`);
  return found;
}

function failWith(dialect: Dialect, failure: Failure): Script {
  const { status, headers, body } = errorOf(dialect, failure);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: { "content-type": "application/json", ...headers }, steps: [{ write: text }] };
}
