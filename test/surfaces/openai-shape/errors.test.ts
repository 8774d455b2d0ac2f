import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cerebrasSurface } from "../../../src/surfaces/cerebras/chat.ts";
import { deepinfraSurface } from "../../../src/surfaces/deepinfra/chat.ts";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { readEvents, startSurface } from "../harness.ts";

const user = (content: string) => [{ role: "user", content }];
const hello = { messages: user("hello") };
const json = { "content-type": "application/json" };

/** Error body: the fields of all three APIs. */
interface ErrorFields {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}
interface ErrorBody extends ErrorFields {
  readonly error: ErrorFields;
  readonly detail: readonly { readonly loc: readonly (string | number)[] }[];
}

async function bodyOf(response: Response): Promise<ErrorBody> {
  return JSON.parse(await response.text());
}

/** Upstream script of an error response. */
const failing = (status: number, body: object, headers: Record<string, string> = {}): Script => ({
  status,
  headers: { ...json, ...headers },
  steps: [{ write: JSON.stringify(body) }],
});

const providers = {
  openai: { surface: openaiSurface, model: "gpt-4o" },
  cerebras: { surface: cerebrasSurface, model: "llama3.1-8b" },
  deepinfra: { surface: deepinfraSurface, model: "meta-llama/Llama-2-70b-chat-hf" },
} as const;

/** Posts a body to an API whose own provider runs the script. */
async function askWith(name: keyof typeof providers, script: Script, more: object = {}) {
  await using upstream = await startReplayUpstream(script);
  const { surface, model } = providers[name];
  const prefix = name.toUpperCase();
  const environment = { [`${prefix}_API_KEY`]: "k", [`${prefix}_BASE_URL`]: upstream.baseUrl };
  const served = await startSurface(surface, { environment });
  const response = await served.post({ model, ...hello, ...more });
  return { response, body: await bodyOf(response), asked: upstream.requests.length };
}

const keys = `
authentication:
  mode: keys
  keys: [{id: k1, sha256: ${hash("sha256", "right")}, accounts: []}]
`;

async function refusedWithout(key: string | undefined, surface = openaiSurface) {
  const served = await startSurface(surface, { yaml: keys });
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await served.post({ model: "echo/echo", ...hello }, { headers });
  return { status: response.status, body: await bodyOf(response) };
}

describe("an error of OpenAI's shape", () => {
  it("sends the first violation in param and code, and all in the message", async () => {
    const served = await startSurface(openaiSurface);
    const response = await served.post({ model: "echo/echo", ...hello, tools: [{ foo: 1 }], temperature: "hot" });
    expect([response.status, await bodyOf(response)]).toEqual([
      400,
      {
        error: {
          message: expect.stringMatching(
            /^temperature: must be a number; .*tools.0.foo: is not a property of this API/,
          ),
          type: "invalid_request_error",
          param: "temperature",
          code: "invalid_type",
        },
      },
    ]);
  });

  it("reports violations of ChatRequest by the body's field names", async () => {
    const served = await startSurface(openaiSurface);
    const response = await served.post({ model: "echo/echo", ...hello, max_completion_tokens: -1, top_logprobs: 2 });
    const { error } = await bodyOf(response);
    expect(response.status).toBe(400);
    expect(error.message).toContain("max_completion_tokens: ");
    expect(error.message).toContain("top_logprobs: ");
    expect(error.message).not.toContain("chat.");
  });

  it.each([
    [{}, "model", "missing_required_parameter"],
    [{ model: "echo/echo", ...hello, temprature: 1 }, "temprature", "unknown_parameter"],
    [{ model: "echo/echo", ...hello, n: "two" }, "n", "invalid_type"],
    [{ model: "echo/echo", ...hello, temperature: 3 }, "temperature", "invalid_value"],
  ])("sends OpenAI's error code for %j", async (body, param, code) => {
    const served = await startSurface(openaiSurface);
    const response = await served.post(body);
    expect((await bodyOf(response)).error).toMatchObject({ type: "invalid_request_error", param, code });
  });

  it("responds to an unknown model with 404 and the code model_not_found", async () => {
    const served = await startSurface(openaiSurface);
    const response = await served.post({ model: "gpt-9", ...hello });
    expect([response.status, await bodyOf(response)]).toMatchObject([
      404,
      { error: { param: "model", code: "model_not_found" } },
    ]);
  });

  it("responds to a model whose provider is not configured with 404 and how to configure it", async () => {
    const served = await startSurface(openaiSurface);
    const response = await served.post({ model: "gpt-4o", ...hello });
    const { error } = await bodyOf(response);
    expect([response.status, error]).toMatchObject([404, { param: "model", code: "model_not_found" }]);
    expect(error.message).toContain("OPENAI_API_KEY");
    const cerebras = await startSurface(cerebrasSurface);
    const flat = await cerebras.post({ model: "llama3.1-8b", ...hello });
    expect([flat.status, await bodyOf(flat)]).toMatchObject([
      404,
      { type: "not_found_error", code: "model_not_found" },
    ]);
  });

  it("responds with 401 to a missing or wrong API key", async () => {
    const error = { type: "invalid_request_error", param: null, code: "invalid_api_key" };
    expect(await refusedWithout(undefined)).toMatchObject({ status: 401, body: { error } });
    expect(await refusedWithout("wrong")).toMatchObject({ status: 401, body: { error } });
  });

  it("forwards the provider's retry-after", async () => {
    const limited = failing(429, { error: { message: "slow", code: "rate_limit_exceeded" } }, { "retry-after": "7" });
    const { response, body } = await askWith("openai", limited);
    expect(response.status).toBe(429);
    expect(body.error).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
    expect(response.headers.get("retry-after")).toBe("7");
  });

  it("responds with 500 if the provider rejects Dragoman's credentials", async () => {
    const { response, body } = await askWith("openai", failing(401, { error: { message: "bad key sk-abcdef" } }));
    expect(response.status).toBe(500);
    expect(body.error.code).toBe("provider_credentials_rejected");
    expect(JSON.stringify(body)).not.toContain("sk-");
    expect(response.headers.get("x-should-retry")).toBe("false");
  });

  it("sends the text that is not JSON as failed_generation", async () => {
    const served = await startSurface(openaiSurface);
    const messages = user(JSON.stringify({ echo: { text: "{no json" } }));
    const response = await served.post({ model: "echo/echo", messages, response_format: { type: "json_object" } });
    expect([response.status, await bodyOf(response)]).toMatchObject([
      400,
      { error: { code: "json_generation_failed", failed_generation: "{no json" } },
    ]);
  });
});

describe("an error of Cerebras' shape", () => {
  const chunks = (text: string): Script => ({
    headers: json,
    steps: [{ write: JSON.stringify({ choices: [{ index: 0, message: { content: text }, finish_reason: "stop" }] }) }],
  });

  it("sends Cerebras' flat error and its text for unknown properties", async () => {
    const messages = [...user("a"), { role: "assistant", content: "b", reasoning_content: "c" }, ...user("d")];
    const { response, body, asked } = await askWith("cerebras", chunks("x"), { messages, store: true });
    expect([response.status, body]).toEqual([
      400,
      {
        message: [
          "messages.1.reasoning_content: property 'messages.1.reasoning_content' is unsupported",
          "body.store: property 'body.store' is unsupported; did you mean stop?",
        ].join("\n"),
        type: "invalid_request_error",
        param: "validation_error",
        code: "wrong_api_format",
      },
    ]);
    expect(asked).toBe(0);
  });

  it.each([
    ["temperature", { temperature: 1.6 }],
    ["stop", { stop: ["a", "b", "c", "d", "e"] }],
    ["response_format", { stream: true, response_format: { type: "json_object" } }],
    ["response_format", { reasoning_format: "raw", response_format: { type: "json_object" } }],
    ["top_logprobs", { logprobs: true, top_logprobs: 21 }],
    ["logit_bias.7", { logit_bias: { 7: 101 } }],
    ["max_tokens", { max_tokens: 1, max_completion_tokens: 2 }],
  ])("reports an invalid value or a conflict in Cerebras' API: %s", async (field, more) => {
    const { response, body, asked } = await askWith("cerebras", chunks("x"), more);
    expect([response.status, asked, body.code]).toEqual([400, 0, "wrong_api_format"]);
    if (field !== "response_format") expect(body.message).toMatch(new RegExp(`^${field}: `));
  });

  it("sends failed_generation at the top level of Cerebras' error", async () => {
    const { response, body } = await askWith("cerebras", chunks("{a"), { response_format: { type: "json_object" } });
    expect([response.status, body]).toMatchObject([400, { failed_generation: "{a", param: "response_format" }]);
  });

  it("keeps Cerebras' code for the exceeded rate limit", async () => {
    const told = { message: "x", type: "too_many_requests_error", param: "quota", code: "token_quota_exceeded" };
    const { response, body } = await askWith("cerebras", failing(429, told));
    expect([response.status, body]).toMatchObject([429, { ...told, message: expect.any(String) }]);
  });

  it("rejects a queue_threshold out of range or with an unsupported tier", async () => {
    await using upstream = await startReplayUpstream(chunks("x"));
    const environment = { CEREBRAS_API_KEY: "k", CEREBRAS_BASE_URL: upstream.baseUrl };
    const served = await startSurface(cerebrasSurface, { environment });
    const ask = async (threshold: string, service_tier?: string) => {
      const headers = { queue_threshold: threshold };
      const response = await served.post({ model: "llama3.1-8b", ...hello, service_tier }, { headers });
      return [response.status, (await bodyOf(response)).param];
    };
    expect(await ask("49", "flex")).toEqual([400, "queue_threshold"]);
    expect(await ask("soon", "flex")).toEqual([400, "queue_threshold"]);
    expect(await ask("50")).toEqual([400, "queue_threshold"]);
    expect(upstream.requests).toHaveLength(0);
    expect((await ask("50", "auto"))[0]).toBe(200);
    expect(upstream.requests[0]?.headers.queue_threshold).toBe("50");
  });

  it("sends status_code next to the error in a Cerebras stream", async () => {
    const begun = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
    await using upstream = await startReplayUpstream({ steps: [{ write: begun }, { cut: true }] });
    const environment = { CEREBRAS_API_KEY: "k", CEREBRAS_BASE_URL: upstream.baseUrl };
    const served = await startSurface(cerebrasSurface, { environment });
    const { data } = await readEvents(await served.post({ model: "llama3.1-8b", ...hello, stream: true }));
    expect(JSON.parse(data.at(-1) ?? "")).toEqual({
      error: {
        message: expect.any(String),
        type: "service_unavailable_error",
        param: null,
        code: "provider_stream_interrupted",
        id: expect.stringMatching(/^chatcmpl-/),
      },
      status_code: 503,
    });
    expect(data).not.toContain("[DONE]");
  });

  it("sends Cerebras' error code for a wrong API key", async () => {
    expect(await refusedWithout("wrong", cerebrasSurface)).toMatchObject({
      status: 401,
      body: { type: "invalid_request_error", param: "api_key", code: "wrong_api_key" },
    });
  });
});

describe("an error of DeepInfra's shape", () => {
  const whole: Script = {
    headers: json,
    steps: [{ write: '{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}' }],
  };

  it.each([
    ["temperature", { temperature: 2.01 }],
    ["top_p", { top_p: 0 }],
    ["min_p", { min_p: 1.1 }],
    ["top_k", { top_k: 1000 }],
    ["n", { n: 5 }],
    ["max_tokens", { max_tokens: 1_000_001 }],
    ["repetition_penalty", { repetition_penalty: 0 }],
    ["presence_penalty", { presence_penalty: 2.5 }],
    ["stop", { stop: Array.from({ length: 17 }, (_, index) => `${index}`) }],
    ["reasoning_effort", { reasoning_effort: "max" }],
  ])("sends the location of an invalid field in DeepInfra's API: %s", async (field, more) => {
    const { response, body, asked } = await askWith("deepinfra", whole, more);
    expect([response.status, asked]).toEqual([422, 0]);
    const detail = { loc: ["body", field], msg: expect.any(String), type: expect.any(String) };
    // If ChatRequest and the profile have the same bound, both report it.
    expect(body.detail).toEqual(Array.from(body.detail, () => detail));
    expect(body.detail).not.toHaveLength(0);
  });

  it("lists all violations, with message indexes as numbers", async () => {
    const messages = [...user("a"), { role: "agent", content: "x" }];
    const { body } = await askWith("deepinfra", whole, { messages, n: "two" });
    expect(body.detail.map(({ loc }) => loc)).toEqual(
      expect.arrayContaining([
        ["body", "messages", 1, "role"],
        ["body", "n"],
      ]),
    );
  });

  it("rejects a final assistant message unless continue_final_message is set", async () => {
    const messages = [...user("a"), { role: "assistant", content: "Hel" }];
    const rejected = await askWith("deepinfra", whole, { messages });
    expect([rejected.response.status, rejected.body.detail[0]?.loc]).toEqual([422, ["body", "messages", 1, "role"]]);
    const taken = await askWith("deepinfra", whole, { messages, continue_final_message: true });
    expect(taken.response.status).toBe(200);
  });

  it("sends OpenAI's error object for errors without fields in DeepInfra's API", async () => {
    expect(await refusedWithout(undefined, deepinfraSurface)).toMatchObject({
      status: 401,
      body: { error: { type: "invalid_request_error", code: "invalid_api_key" } },
    });
    const unknown = await askWith("deepinfra", failing(404, { detail: { error: "Model is not available" } }));
    expect([unknown.response.status, unknown.body.error.code]).toEqual([404, "model_not_found"]);
  });
});
