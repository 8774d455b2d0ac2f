import { expect, it } from "vitest";
import type { ReplayUpstream } from "../../support/replay-upstream.ts";
import type { TestService } from "../../support/service.ts";
import { greeting, half, type Prompt, type Provider, place } from "../../surfaces/matrix/providers.ts";
import { recordOf } from "../story.ts";
import { type CaseName, caseNames, type PythonClient } from "./clients.ts";
import type { PythonProgram, PythonResult } from "./program.ts";

const prompts: Partial<Record<CaseName, Prompt>> = {
  unary: "text",
  stream: "text",
  structured: "json",
  invalid: "text",
  limited: "limited",
  cut: "cut",
  cancel: "stall",
};

/** What each case of a client shows. */
const titles: Readonly<Record<CaseName, string>> = {
  unary: "returns a text and its usage",
  stream: "reads a stream and its usage",
  tools: "runs its tool over all rounds, and sends back what the model requires",
  streamed_tools: "runs its tool over all rounds of streams",
  structured: "returns JSON of a schema",
  structured_by_tool: "returns the input of a tool call",
  invalid: "raises its own error for an invalid temperature",
  limited: "raises its own error for the rate limit of a provider",
  cut: "raises an error if the provider breaks off in a stream",
  cancel: "cancels the request to the provider",
};

/** What the cases of all programs share. */
export interface Stage {
  readonly service: TestService;
  readonly upstream: ReplayUpstream;
}

/** Declares the tests of a client with a provider. */
export function declareChatCases(
  client: PythonClient,
  provider: Provider,
  stage: () => Stage & { readonly program: PythonProgram },
): void {
  for (const name of caseNames) {
    if (client.holes[name]) continue;
    it(titles[name], async () => {
      const { service, upstream, program } = stage();
      const before = upstream.requests.length;
      const id = `${client.id}-${provider.name}-${name}`.replaceAll(/[ ,]+/g, "-");
      const prompt = prompts[name];
      const tool = name === "structured_by_tool" ? "City" : "weather";
      const result = await program.play({
        ...{ id, name, client: client.id, url: `http://${service.httpAddress}`, model: modelOf(provider, name) },
        prompt: prompt ? provider.prompt(prompt) : provider.toolPrompt(tool),
        results: Object.fromEntries(provider.rounds.flat().map((city) => [city, provider.resultOf(city, tool)])),
      });
      expect(result.differences).toEqual([]);
      const requests = () => upstream.requests.slice(before);
      await checks[name]({ client, provider, result, id, service, requests });
    });
  }
}

let others = 0;

/** Returns a model. A case that fails has its own, so that Dragoman does not avoid the provider's model afterwards. */
function modelOf({ model }: Provider, name: CaseName): string {
  if (name !== "limited" && name !== "cut") return model;
  others++;
  return `${model}-${others}`;
}

interface Played {
  readonly client: PythonClient;
  readonly provider: Provider;
  readonly result: PythonResult;
  readonly id: string;
  readonly service: TestService;
  requests(): ReplayUpstream["requests"];
}

type Check = (played: Played) => Promise<void> | void;

const readsText: Check = async ({ client, result, id, service }) => {
  const { usage, outcome, method } = await recordOf(service, id);
  expect({ outcome, method }).toEqual({ outcome: "ok", method: client.api === "chat" ? "openai" : client.api });
  expect(result).toMatchObject({ text: greeting.join(""), tokens: [usage?.inputTokens, usage?.outputTokens] });
  expect(result.end).toBe(client.end);
};

const runsTool: Check = ({ client, provider, result, id, service, requests }) => {
  expect(result.error).toBeUndefined();
  expect(result.text).toBe(provider.report);
  // LangChain runs the tools of a round at the same time, in any order.
  expect([...result.cities].sort()).toEqual(provider.rounds.flat().sort());
  const rounds = [...provider.rounds, "the report"].map(() => "ok");
  const outcomes = service.records.filter(({ requestId }) => requestId === id).map(({ outcome }) => outcome);
  expect(outcomes).toEqual(client.loopBegins ? [client.loopBegins, ...rounds] : rounds);
  const { state } = provider;
  if (state === undefined) return;
  const returned = requests()
    .slice(1)
    .every(({ body }) => body.includes(state.text));
  const sends = client.sendsBack[state.kind];
  const expected = sends === true || ("unless" in sends && sends.unless === provider.name);
  expect(returned, `the model's ${state.kind} is sent back`).toBe(expected);
};

const fails =
  (name: keyof PythonClient["errors"], outcome: string): Check =>
  async ({ client, result, id, service }) => {
    expect(result.error).toMatchObject(client.errors[name]);
    expect(await recordOf(service, id)).toMatchObject({ outcome });
  };

const checks: Readonly<Record<CaseName, Check>> = {
  unary: readsText,
  stream: readsText,
  tools: runsTool,
  streamed_tools: runsTool,
  structured({ result, requests }) {
    expect(result.value).toEqual(place);
    for (const { body } of requests()) expect(body).toContain("degrees");
  },
  structured_by_tool({ result, provider }) {
    expect(result.value).toEqual({ city: provider.rounds[0]?.[0] });
  },
  invalid: fails("invalid", "refused"),
  limited: fails("limited", "failed"),
  cut: fails("cut", "failed"),
  async cancel({ result, provider, id, service, requests }) {
    expect(result.text).toBe(half);
    if (provider.dialect) {
      expect(requests()).toHaveLength(1);
      await requests()[0]?.aborted;
    }
    expect(await recordOf(service, id)).toMatchObject({ outcome: "cancelled" });
  },
};
