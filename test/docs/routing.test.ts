import { readFileSync } from "node:fs";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished } from "vitest";
import { plainRules } from "../../src/config/route.ts";
import { RoutingService } from "../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { TargetState } from "../../src/gen/dragoman/admin/v1/target_pb.js";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { type ScriptedProvider, startProvider } from "./scripted-provider.ts";

const page = readFileSync(new URL("../../docs/routing.md", import.meta.url), "utf8");

/** Configurations of the page, by the heading above them. */
const configurations: ReadonlyMap<string, string> = new Map(
  page.split(/^#{2,3} /m).flatMap((section): [string, string][] => {
    const [heading = ""] = section.split("\n", 1);
    return [...section.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = ""]) => [heading, yaml]);
  }),
);

/** A service with a configuration of the page. Its providers are scripted, and everything else is real. */
interface Recipe {
  readonly service: TestService;
  /** The scripted provider of this name. */
  provider(name: string): ScriptedProvider;
  readonly chat: Client<typeof ChatService>;
  readonly routing: Client<typeof RoutingService>;
  complete(request: ChatRequest): Promise<ChatCompletion>;
}

/** Servers that operators run themselves need no key. */
const keyless: ReadonlySet<string> = new Set(["ollama", "vllm"]);

/** Starts the service with the configuration below a heading. Only environment variables lead it to the providers. */
async function start(heading: string, names: readonly string[]): Promise<Recipe> {
  const environment: Record<string, string> = { OPENAI_KEY_A: "key-a", OPENAI_KEY_B: "key-b" };
  const providers = new Map<string, ScriptedProvider>();
  for (const name of names) {
    const provider = await startProvider(name);
    onTestFinished(() => provider[Symbol.asyncDispose]());
    providers.set(name, provider);
    const variable = name.toUpperCase().replaceAll("-", "_");
    environment[`${variable}_BASE_URL`] = provider.baseUrl;
    if (!keyless.has(name)) environment[`${variable}_API_KEY`] = `key-of-${name}`;
  }
  const yaml = configurations.get(heading);
  if (yaml === undefined) throw new Error(`docs/routing.md has no configuration below the heading ${heading}`);
  const service = await startTestService(environment, undefined, yaml, [], { plainRules });
  onTestFinished(() => service.stop());
  const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
  const chat = createClient(ChatService, transport);
  return {
    service,
    provider(name) {
      const provider = providers.get(name);
      if (provider === undefined) throw new Error(`no provider ${name}`);
      return provider;
    },
    chat,
    routing: createClient(RoutingService, transport),
    async complete(request) {
      const { completion } = await chat.completeChat({ chat: request });
      if (completion === undefined) throw new Error("the response has no completion");
      return completion;
    },
  };
}

/** Targets of the attempts, with the key if it has a name and the reason if the attempt failed. */
function attemptsOf({ attempts }: ChatCompletion): readonly string[] {
  return attempts.map(({ target, credential, failureReason }) =>
    [target, credential, failureReason].filter(Boolean).join(" "),
  );
}

const textOf = ({ choices }: ChatCompletion) => choices[0]?.message?.parts[0]?.kind.value;
const reasonsOf = ({ warnings }: ChatCompletion) => warnings.map(({ reason }) => reason);
const targetsOf = async ({ chat }: Recipe, request: ChatRequest) =>
  (await chat.planChat({ chat: request })).consideredTargets;

const unavailable = () => ({ status: 503 });

describe("the recipes of docs/routing.md", () => {
  it("shows a call that fails over twice with the provider echo", async () => {
    const recipe = await start("Try it", []);
    const failing = (reason: string, http_status: number) => ({ fail: { reason, http_status } });
    const chat = ask("demo", "Paris", {
      providerOptions: {
        "cloud-a": failing("PROVIDER_UNAVAILABLE", 503),
        "cloud-b": failing("PROVIDER_RATE_LIMITED", 429),
      },
    });
    const completion = await recipe.complete(chat);
    expect(attemptsOf(completion)).toEqual([
      "cloud-a/echo PROVIDER_UNAVAILABLE",
      "cloud-b/echo PROVIDER_RATE_LIMITED",
      "cloud-c/echo",
    ]);
    for (const { message } of completion.warnings) expect(page).toContain(message);
  });

  it("uses the second key while the first one is limited", async () => {
    const recipe = await start("Two keys", ["openai"]);
    const openai = recipe.provider("openai");
    openai.behave = (key) => (key === "key-a" ? { status: 429, headers: { "retry-after": "60" } } : "responds");
    const request = ask("openai/gpt-5.5", "hi");
    const seen: string[][] = [];
    // Each call draws one of the usable keys.
    for (let call = 0; call < 40; call++) seen.push([...attemptsOf(await recipe.complete(request))]);
    const second = ["openai/gpt-5.5 team-b"];
    const moved = ["openai/gpt-5.5 team-a PROVIDER_RATE_LIMITED", ...second];
    expect(seen.filter((attempts) => attempts.length > 1)).toEqual([moved]);
    expect(seen.filter((attempts) => attempts.length === 1)).toEqual(Array(39).fill(second));
    expect(openai.keys.filter((key) => key === "key-a")).toHaveLength(1);
    const { targets } = await recipe.routing.listTargets({});
    const keys = targets[0]?.keys.map(({ name, reason, coolUntil }) => [name, reason, coolUntil !== undefined]);
    expect(keys).toEqual([
      ["team-a", "PROVIDER_RATE_LIMITED", true],
      ["team-b", "", false],
    ]);
  });

  it("serves every call while one of two clouds is down, and calls that cloud no more after five failures", async () => {
    const recipe = await start("Two clouds for one model", ["openai", "azure-openai"]);
    const openai = recipe.provider("openai");
    openai.behave = unavailable;
    const request = ask("gpt", "hi");
    // Each call draws one of two targets that are equally fast.
    while (openai.keys.length < 5) {
      const before = openai.keys.length;
      const completion = await recipe.complete(request);
      expect(textOf(completion)).toBe("azure-openai");
      const isFallback = openai.keys.length > before;
      expect(reasonsOf(completion)).toEqual(isFallback ? ["FELL_BACK"] : []);
      const failed = isFallback ? ["openai/gpt-5.5 PROVIDER_UNAVAILABLE"] : [];
      expect(attemptsOf(completion)).toEqual([...failed, "azure-openai/gpt-5.5"]);
    }
    const { targets } = await recipe.routing.listTargets({ route: "gpt" });
    expect(targets.map(({ name, state }) => [name, state])).toEqual([
      ["azure-openai/gpt-5.5", TargetState.CLOSED],
      ["openai/gpt-5.5", TargetState.OPEN],
    ]);
    expect((await targetsOf(recipe, request))[0]?.target).toBe("azure-openai/gpt-5.5");
    const calls = recipe.service.records.filter(({ method }) => method === "CompleteChat");
    expect(new Set(calls.map(({ route }) => route))).toEqual(new Set(["gpt"]));
  });

  it("calls the cheapest model first, and the next one by price while it fails", async () => {
    const recipe = await start("Cheap first", ["openai", "anthropic", "groq", "vllm"]);
    const request = ask("drafts", "hi");
    const order = ["vllm/qwen3-32b", "groq/openai/gpt-oss-120b", "anthropic/claude-haiku-4-5", "openai/gpt-5.5"];
    expect((await targetsOf(recipe, request)).map(({ target }) => target)).toEqual(order);
    expect(attemptsOf(await recipe.complete(request))).toEqual(order.slice(0, 1));
    const failures: string[] = [];
    for (const target of order.slice(0, -1)) {
      recipe.provider(target.split("/", 1)[0] ?? "").behave = unavailable;
      failures.push(`${target} PROVIDER_UNAVAILABLE`);
      const completion = await recipe.complete(request);
      expect(attemptsOf(completion)).toEqual([...failures, order[failures.length]]);
      expect(reasonsOf(completion)).toContain("FELL_BACK");
    }
  });

  it("leaves an attempt for the second tier when the attempts of a call would be used up in the first one", async () => {
    const recipe = await start("Routes", ["openai", "azure-openai", "anthropic"]);
    for (const name of ["openai", "azure-openai"]) recipe.provider(name).behave = unavailable;
    const completion = await recipe.complete(ask("chat-fast", "hi"));
    expect(attemptsOf(completion)).toHaveLength(4);
    expect(attemptsOf(completion).at(-1)).toBe("anthropic/claude-sonnet-5");
  });

  it.each([
    ["its prompt cache key", true],
    ["its first messages", false],
  ])("keeps each conversation at one target and key, by %s", async (_, hasKey) => {
    const recipe = await start("Cache affinity for agents", ["openai", "azure-openai"]);
    const conversations = Array.from({ length: 16 }, (_, index) => ({
      promptCacheKey: hasKey ? `conversation-${index}` : "",
      messages: [...ask("agent", `task ${index}`).messages] as Message[],
      places: [] as string[],
    }));
    for (let turn = 0; turn < 3; turn++) {
      for (const { promptCacheKey, messages, places } of conversations) {
        const completion = await recipe.complete(ask("agent", "", { promptCacheKey, messages }));
        places.push(...attemptsOf(completion));
        const answer = completion.choices[0]?.message;
        if (answer !== undefined) messages.push(answer, ...ask("agent", `go on, ${turn}`).messages);
      }
    }
    expect(conversations[0]?.messages.map(({ role }) => role).slice(0, 3)).toEqual([
      Role.USER,
      Role.ASSISTANT,
      Role.USER,
    ]);
    for (const { places } of conversations) expect(places).toEqual(Array(3).fill(places[0]));
    expect(new Set(conversations.map(({ places }) => places[0])).size).toBeGreaterThan(1);
  });

  it("asks the local model only while both clouds are down", async () => {
    const recipe = await start("A local model as last resort", ["openai", "anthropic", "ollama"]);
    const request = ask("assistant", "hi");
    const usual = await recipe.complete(request);
    const { targets } = await recipe.routing.listTargets({});
    expect(targets.map(({ name, keys }) => [name, keys.length])).toEqual([
      ["anthropic/claude-sonnet-5", 1],
      ["ollama/llama3.2", 0],
      ["openai/gpt-5.5", 1],
    ]);
    expect([textOf(usual), reasonsOf(usual)]).toEqual(["openai", []]);
    recipe.provider("openai").behave = unavailable;
    expect(textOf(await recipe.complete(request))).toBe("anthropic");
    recipe.provider("anthropic").behave = () => ({ status: 529 });
    const completion = await recipe.complete(request);
    expect(textOf(completion)).toBe("ollama");
    expect(attemptsOf(completion)).toEqual([
      "openai/gpt-5.5 PROVIDER_UNAVAILABLE",
      "anthropic/claude-sonnet-5 PROVIDER_UNAVAILABLE",
      "ollama/llama3.2",
    ]);
    expect(completion.warnings.map(({ message }) => message)).toEqual([
      "openai/gpt-5.5 failed (PROVIDER_UNAVAILABLE), anthropic/claude-sonnet-5 failed (PROVIDER_UNAVAILABLE); " +
        "ollama/llama3.2 responds instead",
    ]);
  });

  it("moves on from a silent cloud when its share of the deadline has passed", async () => {
    const recipe = await start("A local model as last resort", ["openai", "anthropic", "ollama"]);
    recipe.provider("openai").behave = () => "is silent";
    const chat = ask("assistant", "hi");
    const { completion } = await recipe.chat.completeChat({ chat }, { timeoutMs: 3_000 });
    expect(completion?.attempts).toMatchObject([
      { target: "openai/gpt-5.5", outcome: AttemptOutcome.ABANDONED, failureReason: "PROVIDER_TIMEOUT" },
      { target: "anthropic/claude-sonnet-5", outcome: AttemptOutcome.ANSWERED },
    ]);
  });
});

it("has only configurations that the service starts with", async () => {
  expect(configurations.size).toBeGreaterThanOrEqual(5);
  for (const heading of configurations.keys()) {
    await start(heading, ["openai", "azure-openai", "anthropic", "groq", "vllm", "ollama"]);
  }
});
