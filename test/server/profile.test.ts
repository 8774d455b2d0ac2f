import { describe, expect, it, onTestFinished } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { type ProfileName, profileNames } from "../../src/profiles/profiles.ts";
import { profileValues } from "../../src/profiles/select-profile.ts";
import { failureOf, paths, says, startStage } from "../behaviours/support.ts";
import { ask } from "../support/requests.ts";
import { type Protocol, protocols, startTestService, type TestService } from "../support/service.ts";

/** Returns the profile that PlanChat, StreamChat and CompleteChat name, which must be the same. */
async function profileOf(service: TestService, protocol: Protocol, chat: ReturnType<typeof ask>): Promise<Profile> {
  const { planChat, streamChat, completeChat } = service.chatClient(protocol);
  const { profile } = await planChat({ chat });
  for await (const { event } of streamChat({ chat })) {
    if (event.case === "started") expect(event.value.profile).toBe(profile);
  }
  expect((await completeChat({ chat })).completion?.profile).toBe(profile);
  return profile;
}

async function start(file: object): Promise<TestService> {
  const service = await startTestService({}, undefined, JSON.stringify(file));
  onTestFinished(() => service.stop());
  return service;
}

describe.each(protocols)("the profile of a call over %s", (protocol) => {
  it("is plain if nothing selects one, and otherwise that of the first source that has one", async () => {
    const models = { own: { provider: "echo", profile: "deepinfra" }, bare: { provider: "echo" } };
    const deployments = { usual: { model: "own" }, plain: { model: "own", profile: "plain" } };
    const [without, configured] = [
      await start({ models, deployments }),
      await start({ models, deployments, profile: "cerebras" }),
    ];
    const profilesOf = async (model: string, profile = Profile.UNSPECIFIED) => {
      const chat = ask(model, "hi", { profile });
      return [await profileOf(without, protocol, chat), await profileOf(configured, protocol, chat)];
    };
    for (const model of ["bare", "echo/echo", "echo/unlisted"]) {
      expect([model, await profilesOf(model)]).toEqual([model, [Profile.PLAIN, Profile.CEREBRAS]]);
    }
    expect(await profilesOf("own")).toEqual([Profile.DEEPINFRA, Profile.DEEPINFRA]);
    expect(await profilesOf("deployments/usual")).toEqual([Profile.EGP_DEPLOYMENT, Profile.EGP_DEPLOYMENT]);
    expect(await profilesOf("deployments/plain")).toEqual([Profile.PLAIN, Profile.PLAIN]);
    for (const model of ["bare", "own", "deployments/usual"]) {
      expect(await profilesOf(model, Profile.EGP_CHAT)).toEqual([Profile.EGP_CHAT, Profile.EGP_CHAT]);
      expect(await profilesOf(model, Profile.PLAIN)).toEqual([Profile.PLAIN, Profile.PLAIN]);
    }
  });
});

describe("a bare model id over gRPC", () => {
  it("is sent without a system prompt or a parameter that the caller did not set", async () => {
    const { service, sent } = await startStage({ openai: [] });
    const { completion } = await service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi") });
    const { model, messages, ...more } = sent("openai");
    expect([model, messages]).toEqual(["gpt-4o", says("hi")]);
    for (const field of ["temperature", "top_p", "max_tokens", "max_completion_tokens"]) {
      expect(more).not.toHaveProperty(field);
    }
    expect(completion).toMatchObject({ profile: Profile.PLAIN, warnings: [] });
  });

  it("means the same model under each profile", async () => {
    const { service } = await startStage({ openai: [] });
    for (const name of profileNames) {
      const chat = ask("gpt-4o", "hi", { profile: profileValues[name] });
      const { completion } = await service.chatClient("grpc").completeChat({ chat });
      expect(completion).toMatchObject({ model: "gpt-4o", provider: "openai", profile: profileValues[name] });
      expect(await service.nextRecord()).toMatchObject({ model: "gpt-4o", profile: name });
    }
  });

  it("rejects a profile that this version does not have", async () => {
    const service = await start({});
    const chat = ask("echo/echo", "hi", { profile: 99 as Profile });
    const call = service.chatClient("grpc").completeChat({ chat });
    expect(await failureOf(call)).toMatchObject({ reason: "INVALID_REQUEST", fields: ["chat.profile"] });
  });
});

describe("the profile of an HTTP API", () => {
  const hot = (model: string) => ({ model, messages: says("hi"), temperature: 0.7 });

  it("wins over the profile of the model and of the configuration", async () => {
    const profile = "egp-deployment";
    const models = { "gpt-4o": { profile }, "llama3.1-8b": { profile } };
    const { post, sent } = await startStage({ openai: [], cerebras: [] }, { profile, models });
    await post(paths.egpChat, { model: "gpt-4o", messages: says("hi") });
    expect(sent("openai").messages).toHaveLength(2);
    await post(paths.cerebras, { ...hot("llama3.1-8b"), temperature: null });
    expect(sent("cerebras").temperature).toBe(1);
  });

  it("is missing in OpenAI's API, so that the profile of the configuration applies", async () => {
    const temperatureOf = async (profile?: ProfileName) => {
      const { post, sent } = await startStage({ openai: [] }, { profile });
      await post(paths.openai, { model: "gpt-4o", messages: says("hi") });
      return sent("openai").temperature;
    };
    expect(await temperatureOf()).toBeUndefined();
    expect(await temperatureOf("deepinfra")).toBe(1);
  });
});

describe("the error of a profile's rule", () => {
  it("says what to write over gRPC, and only what the API has over HTTP", async () => {
    const { post, service } = await startStage({ openai: [], cerebras: [] }, { profile: "egp-chat" });
    const { completeChat } = service.chatClient("grpc");
    const hot = { parameters: { temperature: 1.2 } };
    const unconfigured = (await start({})).chatClient("grpc");
    const byField = ask("echo/echo", "hi", { ...hot, profile: Profile.EGP_CHAT });
    expect((await failureOf(unconfigured.completeChat({ chat: byField }))).message).toBe(
      "invalid request: chat.parameters.temperature: must be from 0 to 1 under the profile egp-chat; leave `profile` out, or write a value from 0 to 1",
    );
    expect((await failureOf(completeChat({ chat: ask("gpt-4o", "hi", hot) }))).message).toBe(
      "invalid request: chat.parameters.temperature: must be from 0 to 1 under the configured profile egp-chat; set `profile` to PROFILE_PLAIN, or write a value from 0 to 1",
    );
    const body = { model: "gpt-4o", messages: says("hi") };
    expect(await post(paths.egpChat, { ...body, model_parameters: { temperature: 1.2 } })).toMatchObject({
      status: 422,
      body: { detail: [{ msg: "must be from 0 to 1 in this API" }] },
    });
    expect(await post(paths.openai, { ...body, temperature: 1.2 })).toMatchObject({
      status: 400,
      body: { error: { message: "temperature: must be from 0 to 1 under the configured profile egp-chat" } },
    });
    const streamed = { stream: true, response_format: { type: "json_object" } };
    expect(await post(paths.cerebras, { ...body, model: "llama3.1-8b", ...streamed })).toMatchObject({
      status: 400,
      body: { message: "response_format: this API does not stream JSON objects; set stream to false" },
    });
  });

  it("names the same way to write a model in every API", async () => {
    const { post, service } = await startStage({ openai: [], deepinfra: [] });
    const { completeChat } = service.chatClient("grpc");
    const textOf = async (model: string) => (await failureOf(completeChat({ chat: ask(model, "hi") }))).message;
    const deployment =
      "there is no deployment gpt-4o, but there is a model gpt-4o; call it as a model, not as a deployment";
    expect(await textOf("deployments/gpt-4o")).toBe(deployment);
    expect(await post(paths.egpDeployment("gpt-4o"), { prompt: "hi", chat_history: [] })).toMatchObject({
      status: 404,
      body: { detail: deployment },
    });
    expect(await textOf("vendor/some-model")).toMatch(
      /write the provider first, such as deepinfra\/vendor\/some-model$/,
    );
    const { body } = await post(paths.openai, { model: "no-such-thing", messages: says("hi") });
    expect(JSON.stringify(body)).toContain("the list of models has the valid names");
    for (const text of [JSON.stringify(body), deployment]) expect(text).not.toMatch(/ListModels|CompleteChat/);
  });
});
