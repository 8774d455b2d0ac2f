import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import type { Environment } from "../../../src/config/environment.ts";
import { Secret } from "../../../src/config/secret.ts";
import { GatewayError } from "../../../src/errors.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { answer, declared, modelOf } from "../../contract/fixtures/chat-completions.ts";
import { streamFrom } from "../../support/attempt.ts";
import { configured } from "../../support/configured.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { functionTool } from "../../support/tools.ts";
import { brief, collect, context, request } from "../chat-completions/harness.ts";

const model = modelOf("azure-openai", "my gpt");
const hello: Script = { steps: [{ write: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "stop") }] };

async function ask(options: Record<string, unknown>, path = "", script: Script = hello, environment: Environment = {}) {
  await using upstream = await startReplayUpstream(script);
  const azure = configured("azure-openai", upstream.baseUrl + path, { options, environment });
  const outcome = await collect(streamFrom(azure, request(), model).events);
  await azure.close?.();
  return { ...outcome, seen: upstream.requests[0] };
}

describe("Azure OpenAI", () => {
  it.each([
    [{}, "", "/openai/v1/chat/completions"],
    [{}, "/openai/v1", "/openai/v1/chat/completions"],
    [{}, "/openai", "/openai/v1/chat/completions"],
    [{ api_version: "preview" }, "", "/openai/v1/chat/completions?api-version=preview"],
    [{ api_version: "2024-10-21" }, "", "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"],
  ])("builds the URL for options %o and base URL path %j: %s", async (options, path, expected) => {
    const { seen, error } = await ask(options, path);
    expect(error).toBeUndefined();
    expect(seen?.path).toBe(expected);
    expect(seen?.headers).toMatchObject({ "api-key": "sk-test-key" });
    expect(seen?.headers).not.toHaveProperty("authorization");
    expect(JSON.parse(seen?.body ?? "")).toMatchObject({ model: "my gpt" });
  });

  it("reads the version from AZURE_OPENAI_API_VERSION unless the file sets one", async () => {
    const environment = { AZURE_OPENAI_API_VERSION: "2024-06-01" };
    const dated = "/openai/deployments/my%20gpt/chat/completions?api-version=2024-06-01";
    expect((await ask({}, "", hello, environment)).seen?.path).toBe(dated);
    const given = await ask({ api_version: "v1" }, "", hello, environment);
    expect(given.seen?.path).toBe("/openai/v1/chat/completions?api-version=v1");
  });

  it("sends an Entra ID token as a bearer token", async () => {
    const { seen } = await ask({ key_type: "entra-token" });
    expect(seen?.headers).toMatchObject({ authorization: "Bearer sk-test-key" });
    expect(seen?.headers).not.toHaveProperty("api-key");
  });

  describe("with an Entra ID application", () => {
    const application = { key_type: "entra-secret", tenant_id: "my tenant", client_id: "me" };
    const token = (expires_in: number): Script => ({
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify({ token_type: "Bearer", expires_in, access_token: "token-1" }) }],
    });

    async function askTwice(...scripts: readonly Script[]) {
      await using entra = await startReplayUpstream(...scripts);
      await using upstream = await startReplayUpstream(hello);
      const azure = declared("azure-openai", { ...application, authority: entra.baseUrl })(upstream.baseUrl);
      const ask = () => collect(azure.stream(request(), model, context()));
      const outcomes = [await ask(), await ask()];
      await azure.close?.();
      return { outcomes, asked: entra.requests, seen: upstream.requests };
    }

    it("exchanges the secret for a token and caches the token", async () => {
      const { outcomes, asked, seen } = await askTwice(token(3600));
      expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
      expect(asked.map(({ path }) => path)).toEqual(["/my%20tenant/oauth2/v2.0/token"]);
      expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
        grant_type: "client_credentials",
        client_id: "me",
        client_secret: "sk-test-key",
        scope: "https://cognitiveservices.azure.com/.default",
      });
      expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer token-1", "Bearer token-1"]);
    });

    it("exchanges the secret of each attempt, and caches a token for each", async () => {
      const issued = (access_token: string): Script => ({
        headers: { "content-type": "application/json" },
        steps: [{ write: JSON.stringify({ token_type: "Bearer", expires_in: 3600, access_token }) }],
      });
      await using entra = await startReplayUpstream(issued("token-a"), issued("token-b"));
      await using upstream = await startReplayUpstream(hello);
      const azure = declared("azure-openai", { ...application, authority: entra.baseUrl })(upstream.baseUrl);
      const keys = ["a", "b"].map((name) => new Secret(`secret-${name}`));
      for (const apiKey of [...keys, ...keys]) {
        expect((await collect(azure.stream(request(), model, { ...context(), apiKey }))).error).toBeUndefined();
      }
      await azure.close?.();
      const secrets = entra.requests.map(({ body }) => new URLSearchParams(body).get("client_secret"));
      expect(secrets).toEqual(["secret-a", "secret-b"]);
      const tokens = ["Bearer token-a", "Bearer token-b"];
      expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([...tokens, ...tokens]);
    });

    it("requests another token if the cached one is about to expire", async () => {
      expect((await askTwice(token(60))).asked).toHaveLength(2);
    });

    it("reports a rejected secret, and tries the secret again for the next call", async () => {
      const { outcomes, asked, seen } = await askTwice({ status: 401, steps: [{ write: "{}" }] }, token(3600));
      expect(outcomes.map(({ error }) => error?.reason)).toEqual(["PROVIDER_CREDENTIALS_REJECTED", undefined]);
      expect([asked.length, seen.length]).toEqual([2, 1]);
    });

    it("does not wait for a token after a cancellation", async () => {
      await using entra = await startReplayUpstream({ holdHeaders: new Promise(() => {}) });
      const azure = declared("azure-openai", { ...application, authority: entra.baseUrl })("http://127.0.0.1:9");
      const controller = new AbortController();
      const arrived = entra.nextRequest();
      const outcome = collect(azure.stream(request(), model, context(controller.signal)));
      await arrived;
      controller.abort(new GatewayError("CANCELLED", "the caller cancelled the call"));
      expect((await outcome).error?.reason).toBe("CANCELLED");
      await azure.close?.();
    });

    it("rejects options without tenant_id and client_id", () => {
      expect(() => declared("azure-openai", { key_type: "entra-secret" })("http://127.0.0.1:9")).toThrow(
        "entra-secret needs tenant_id and client_id",
      );
    });
  });

  it("reports a prompt blocked by the content filter as a finish reason", async () => {
    const body = {
      error: {
        message: "The response was filtered",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    };
    const { events, error } = await ask({}, "", {
      status: 400,
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify(body) }],
    });
    expect(error).toBeUndefined();
    expect(brief(events)).toEqual(["started", `finished 0 ${FinishReason.CONTENT_FILTER} content_filter`, "completed"]);
  });

  it("applies the rules of the model configured for a deployment", () => {
    const asked = request({ parameters: { temperature: 0.5 } });
    const limits = (options: Record<string, unknown>) =>
      declared("azure-openai", options)("http://127.0.0.1:9").checkSupport(asked, model);
    expect(limits({})).toEqual([]);
    expect(limits({ models: { "my gpt": "o3" } })).toMatchObject([{ field: ["parameters", "temperature"] }]);
    const called = request({ tools: [functionTool({ name: "f" })] });
    const azure = declared("azure-openai", { models: { "my gpt": "gpt-5.7" } })("http://127.0.0.1:9");
    expect(azure.checkSupport(called, model)).toMatchObject([{ kind: "EMULATED", field: ["reasoning", "effort"] }]);
    expect(azure.describe(called, model)).toMatchObject({ reasoning_effort: "none" });
  });

  it("rejects unknown options", () => {
    expect(() => declared("azure-openai", { version: "x" })("http://127.0.0.1:9")).toThrow(ConfigError);
  });
});
