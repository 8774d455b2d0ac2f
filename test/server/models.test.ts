import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { listedModels } from "../../src/providers/registry.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OPENAI_API_KEY: "sk-test" });
});
afterAll(() => service.stop());

describe.each(protocols)("ModelService over %s", (protocol) => {
  it("lists every model of the configured providers in pages, ordered by id", async () => {
    const ids: string[] = [];
    let pageToken = "";
    do {
      const page = await service.modelClient(protocol).listModels({ pageSize: 3, pageToken });
      expect(page.models.length).toBeLessThanOrEqual(3);
      ids.push(...page.models.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    const on = listedModels({}).filter(({ provider }) => provider === "openai" || provider === "echo");
    expect(ids).toEqual(on.map(({ id }) => id).sort());
  });

  it("lists the models of one provider", async () => {
    const { models } = await service.modelClient(protocol).listModels({ provider: "echo" });
    expect(models.map(({ id }) => id)).toEqual(["echo/echo", "echo/embed"]);
  });

  it("rejects a negative page_size and an unknown page_token", async () => {
    for (const [request, field] of [
      [{ pageSize: -1 }, "page_size"],
      [{ pageToken: "made up" }, "page_token"],
    ] as const) {
      const error = await service
        .modelClient(protocol)
        .listModels(request)
        .catch((thrown: unknown) => ConnectError.from(thrown));
      if (!(error instanceof ConnectError)) return expect.fail("the call must fail");
      expect(error.code).toBe(Code.InvalidArgument);
      expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe(field);
    }
  });

  it("finds a model by id and by provider/model, described for the requested profile, else for plain", async () => {
    const client = service.modelClient(protocol);
    const bare = await client.getModel({ id: "gpt-4o" });
    const expected = { id: "gpt-4o", provider: "openai", profile: Profile.PLAIN, family: "openai-chat" };
    expect(bare.model).toMatchObject(expected);
    const path = await client.getModel({ id: "openai/gpt-4o", profile: Profile.EGP_CHAT });
    expect(path.model).toMatchObject({
      ...{ id: "openai/gpt-4o", providerModel: "gpt-4o", profile: Profile.EGP_CHAT, maxTemperature: 1 },
      supportedParameters: expect.arrayContaining(["parameters.temperature", "tools"]),
    });
    const { models } = await client.listModels({ provider: "openai", profile: Profile.CEREBRAS });
    expect(new Set(models.map(({ profile }) => profile))).toEqual(new Set([Profile.CEREBRAS]));
  });

  it("rejects an unknown profile", async () => {
    const client = service.modelClient(protocol);
    const profile: number = 99;
    for (const call of [() => client.listModels({ profile }), () => client.getModel({ id: "gpt-4o", profile })]) {
      const error = await call().catch((thrown: unknown) => ConnectError.from(thrown));
      if (!(error instanceof ConnectError)) return expect.fail("the call must fail");
      expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("profile");
    }
  });

  it("suggests similar models for an unknown id", async () => {
    const error = await service
      .modelClient(protocol)
      .getModel({ id: "gpt-4x" })
      .catch((thrown: unknown) => ConnectError.from(thrown));
    if (!(error instanceof ConnectError)) return expect.fail("the call must fail");
    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("MODEL_NOT_FOUND");
    expect(error.rawMessage).toContain("gpt-4");
  });
});

describe("deployments", () => {
  it("hides deployments from other accounts, as if they did not exist", async () => {
    const key = (id: string, secret: string, account: string) => ({
      id,
      sha256: createHash("sha256").update(secret).digest("hex"),
      accounts: [account],
    });
    const own = await startTestService(
      {},
      undefined,
      JSON.stringify({
        authentication: { keys: [key("k1", "first", "a1"), key("k2", "second", "a2")] },
        deployments: { mine: { model: "echo/echo", account: "a1" }, everyones: { model: "echo/echo" } },
      }),
    );
    onTestFinished(() => own.stop());
    const client = own.modelClient("grpc");
    const seenBy = async (secret: string) => {
      const { models } = await client.listModels({}, { headers: { "x-api-key": secret } });
      const pages = await fetch(`http://${own.httpAddress}/v1/models`, { headers: { "x-api-key": secret } });
      const { data } = (await pages.json()) as { data: readonly { id: string }[] };
      const ids = models.map(({ id }) => id).filter((id) => id.startsWith("deployments/"));
      expect(data.map(({ id }) => id).filter((id) => id.startsWith("deployments/"))).toEqual(ids);
      return ids;
    };
    expect(await seenBy("first")).toEqual(["deployments/everyones", "deployments/mine"]);
    expect(await seenBy("second")).toEqual(["deployments/everyones"]);
    const failureFor = (id: string) =>
      client.getModel({ id }, { headers: { "x-api-key": "second" } }).catch((thrown: unknown) => {
        const { code, rawMessage } = ConnectError.from(thrown);
        return { code, message: rawMessage.replaceAll(id.slice("deployments/".length), "<id>") };
      });
    expect(await failureFor("deployments/mine")).toEqual(await failureFor("deployments/none"));
    expect(await failureFor("deployments/mine")).toMatchObject({ code: Code.NotFound });
  });
});
