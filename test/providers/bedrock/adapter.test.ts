import { afterEach, describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { createBedrockAdapter } from "../../../src/providers/bedrock/adapter.ts";
import { provider } from "../../../src/providers/bedrock/index.ts";
import { createSigner } from "../../../src/providers/bedrock/sign.ts";
import { streamFrom } from "../../support/attempt.ts";
import { configured } from "../../support/configured.ts";
import { errorFrame, eventFrame, exceptionFrame } from "../../support/event-stream.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";
import { brief, collect } from "../chat-completions/harness.ts";
import { context, model, settings, sonnet } from "./harness.ts";

const never = new Promise<never>(() => {});
const headers = { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": "request-1" };
const hi = eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } });
const end = eventFrame("messageStop", { stopReason: "end_turn" });
const whole: Script = { headers, steps: [{ write: hi }, { write: end }] };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

async function start(scripts: readonly Script[], options: Parameters<typeof settings>[1] = {}, path = "") {
  const upstream = await startReplayUpstream(...scripts);
  const adapter = createBedrockAdapter(settings(upstream.baseUrl + path, options));
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);
  return { upstream, adapter };
}

const question = ask(`bedrock/${sonnet}`, "hello");

/** One attempt, as routing makes it. */
const attempt = (adapter: Adapter) => collect(streamFrom(adapter, question, model()).events);

describe("Bedrock's adapter", () => {
  it("sends the key to the model's path and records the request id", async () => {
    const { upstream, adapter } = await start([whole]);
    const given = context();
    const { events, error } = await collect(adapter.stream(question, model(), given));
    expect(error).toBeUndefined();
    expect(brief(events)).toEqual(["started", "text 0.0 Hi", "finished 0 1 end_turn", "completed"]);
    expect(upstream.requests[0]).toMatchObject({
      path: "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
      headers: { authorization: "Bearer bedrock-key", accept: "application/vnd.amazon.eventstream" },
    });
    expect(given.attempt).toMatchObject({ httpStatus: 200, providerRequestId: "request-1" });
  });

  it("signs the request that it sends with credentials of the environment", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const { upstream, adapter } = await start([whole], { key: "" }, "/proxy");
    const { error } = await collect(adapter.stream(ask("m", "größer"), model(), context()));
    expect(error).toBeUndefined();
    const [sent] = upstream.requests;
    const date = String(sent?.headers["x-amz-date"]).replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
    const sign = createSigner("us-east-1", { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });
    const expected = await sign(new URL(`${upstream.baseUrl}${sent?.path}`), sent?.body ?? "", new Date(date));
    expect(sent?.path).toMatch(/^\/proxy\/model\//);
    expect(sent?.headers).toMatchObject(expected);
    expect(sent?.headers.host).toBe(new URL(upstream.baseUrl).host);
  });

  it("reports missing credentials without sending a request", async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) vi.stubEnv(name, "");
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    const { upstream, adapter } = await start([whole], { key: "" });
    const { events, error } = await collect(adapter.stream(question, model(), context()));
    expect(events).toEqual([]);
    expect(error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
    expect(upstream.requests).toHaveLength(0);
  });

  it("stops waiting for credentials on cancellation", async () => {
    const { adapter } = await start([whole], { key: "" });
    const controller = new AbortController();
    controller.abort(new GatewayError("CANCELLED", "the caller cancelled the call"));
    const { error } = await collect(adapter.stream(question, model(), context(controller.signal)));
    expect(error?.reason).toBe("CANCELLED");
  });

  it("applies the timeouts before the first frame and between frames", async () => {
    const silent = await start([{ headers, steps: [{ hold: never }] }], { timeouts: { firstEventMs: 20 } });
    const first = await attempt(silent.adapter);
    expect(first.error).toMatchObject({ reason: "PROVIDER_TIMEOUT", facts: { provider: { outputStarted: false } } });

    // An incomplete frame is not an event.
    const steps = [{ write: hi }, { write: end.subarray(0, 20) }, { hold: never }];
    const stuck = await start([{ headers, steps }], { timeouts: { idleMs: 20 } });
    const later = await attempt(stuck.adapter);
    expect(brief(later.events)).toEqual(["started", "text 0.0 Hi"]);
    expect(later.error).toMatchObject({ reason: "PROVIDER_TIMEOUT", facts: { provider: { outputStarted: true } } });
  });

  it.each([
    ["throttlingException", "PROVIDER_RATE_LIMITED"],
    ["validationException", "INVALID_REQUEST"],
    ["modelStreamErrorException", "PROVIDER_UNAVAILABLE"],
    ["internalServerException", "PROVIDER_UNAVAILABLE"],
    ["serviceUnavailableException", "PROVIDER_UNAVAILABLE"],
  ])("maps an exception frame before any output to its reason: %s", async (type, reason) => {
    const steps = [{ write: exceptionFrame(type, { message: "no" }) }];
    const { adapter } = await start([{ headers, steps }]);
    const { events, error } = await collect(adapter.stream(question, model(), context()));
    expect(brief(events)).toEqual(["started"]);
    expect(error?.reason).toBe(reason);
    expect(error?.facts.provider?.code.toLowerCase()).toBe(type.toLowerCase());
  });

  it("reads the code and the message of an error frame from its headers", async () => {
    const steps = [{ write: errorFrame("ValidationException", "too long") }];
    const { adapter } = await start([{ headers, steps }]);
    const { error } = await collect(adapter.stream(question, model(), context()));
    expect(error).toMatchObject({ reason: "INVALID_REQUEST", message: "the provider rejected the request: too long" });
  });

  it("yields events that precede an error in the same read", async () => {
    const { adapter } = await start([{ headers, steps: [{ write: Buffer.concat([hi, Buffer.from("<html>")]) }] }]);
    const { events, error } = await attempt(adapter);
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });
});

describe("Bedrock's configuration", () => {
  const address = (region: string | undefined, baseUrl?: string, key?: string) => () => {
    return configured("bedrock", baseUrl, {
      options: region ? { region } : {},
      ...(key !== undefined && { apiKey: key }),
    });
  };

  it("requires a region, unless there are a key and a custom base URL", () => {
    expect(address("eu-west-1")).not.toThrow();
    expect(address(undefined, "https://proxy.example")).not.toThrow();
    expect(address(undefined)).toThrow(ConfigError);
    expect(address(undefined, "https://proxy.example", "")).toThrow("AWS_REGION");
    expect(address("not a region!", "https://proxy.example")).toThrow(ConfigError);
  });

  it("detects an API key or AWS credentials together with a region", () => {
    expect(provider.detect?.({})).toContain("AWS_BEARER_TOKEN_BEDROCK");
    expect(provider.detect?.({ AWS_REGION: "us-east-1" })).toContain("AWS_ACCESS_KEY_ID");
    expect(provider.detect?.({ AWS_ACCESS_KEY_ID: "a" })).toContain("AWS_REGION");
    expect(provider.detect?.({ AWS_ACCESS_KEY_ID: "a", BEDROCK_BASE_URL: "https://proxy.example" })).toContain(
      "AWS_REGION",
    );
    expect(provider.detect?.({ AWS_ACCESS_KEY_ID: "a", AWS_REGION: "us-east-1" })).toBeUndefined();
    expect(provider.detect?.({ AWS_BEARER_TOKEN_BEDROCK: "a", AWS_DEFAULT_REGION: "us-east-1" })).toBeUndefined();
    expect(
      provider.detect?.({ AWS_BEARER_TOKEN_BEDROCK: "a", BEDROCK_BASE_URL: "https://proxy.example" }),
    ).toBeUndefined();
  });
});
