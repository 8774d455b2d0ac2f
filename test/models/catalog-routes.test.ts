import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainRules, type RouteSettings } from "../../src/config/route.ts";
import { GatewayError } from "../../src/errors.ts";
import { type Model, ModelCapabilitiesSchema, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { type Catalog, createCatalog } from "../../src/models/catalog.ts";
import type { ConfiguredModel } from "../../src/models/configured-model.ts";

const entry = (init: MessageInitShape<typeof ModelSchema>): Model => create(ModelSchema, { family: "test", ...init });

const gpt = entry({
  id: "gpt-4o",
  provider: "openai",
  providerModel: "gpt-4o",
  displayName: "GPT-4o",
  profile: Profile.EGP_CHAT,
  aliases: ["omni", "big"],
  contextWindowTokens: 128_000,
  maxOutputTokens: 4096,
  capabilities: { systemMessages: true, tools: true, imageInput: true },
});
const small = entry({
  id: "small",
  provider: "openai",
  providerModel: "small",
  aliases: ["tiny"],
  contextWindowTokens: 8192,
  capabilities: { systemMessages: true, tools: true, regex: true },
});
const echo = entry({ id: "echo/echo", provider: "echo", providerModel: "echo", maxOutputTokens: 512 });
const grok = entry({ id: "grok", provider: "xai", providerModel: "grok-5" });

const deployment = (id: string, account: string): ConfiguredModel => ({
  model: entry({ ...gpt, id: `deployments/${id}`, aliases: [], provider: "echo", providerModel: id }),
  account,
  parameters: [],
  completionOnly: false,
});
const configured = [deployment("open", ""), deployment("a", "a"), deployment("b", "b")];

const providers = ["openai", "echo"];
const known = [
  { name: "openai", on: true, reason: "OPENAI_API_KEY is set", family: "openai-chat" },
  { name: "echo", on: true, reason: "", family: "echo" },
  { name: "xai", on: false, reason: "set XAI_API_KEY to turn it on", family: "xai" },
];

function route(id: string, tiers: readonly (readonly string[])[], more: Partial<RouteSettings> = {}): RouteSettings {
  return {
    ...plainRules,
    id,
    tiers: tiers.map((names) => ({ balance: "weighted", targets: names.map((model) => ({ model, weight: 1 })) })),
    require: [],
    profile: undefined,
    ...more,
  };
}

const catalogOf = (...routes: readonly RouteSettings[]): Catalog =>
  createCatalog([gpt, small, echo, grok], providers, known, configured, routes);

/** Result of a lookup, or the facts of its error. */
function outcome(lookUp: () => Model): unknown {
  try {
    return lookUp();
  } catch (error) {
    if (error instanceof GatewayError) return [error.reason, error.message, error.facts];
    throw error;
  }
}

describe("a route in the catalog", () => {
  it("has the first target's provider, the shared capabilities and the smallest limits", () => {
    const fast = catalogOf(route("fast", [["gpt-4o", "small"]], { profile: "cerebras" })).resolve("fast");
    expect(fast).toMatchObject({
      id: "fast",
      displayName: "fast",
      aliases: [],
      provider: "openai",
      providerModel: "gpt-4o",
      contextWindowTokens: 8192,
      maxOutputTokens: 4096,
    });
    expect(fast.capabilities).toEqual(create(ModelCapabilitiesSchema, { systemMessages: true, tools: true }));
  });

  it("has unknown capabilities if those of a target are unknown", () => {
    expect(catalogOf(route("r", [["gpt-4o"], ["echo/echo"]])).resolve("r").capabilities).toBeUndefined();
  });

  it("ignores targets without weight or without a required capability", () => {
    const tiers = route("", [["small", "gpt-4o", "echo/echo"]]).tiers.map(({ balance, targets }) => ({
      balance,
      targets: targets.map((target) => ({ ...target, weight: target.model === "echo/echo" ? 0 : 1 })),
    }));
    const catalog = catalogOf(route("r", [], { tiers, require: ["imageInput"] }));
    expect(catalog.targetsOf(catalog.resolve("r"))).toEqual([gpt]);
    expect(catalog.resolve("r").capabilities).toEqual(gpt.capabilities);
  });

  it("has the profile that a call at its first target gets: the target's own, else the route's", () => {
    const profileOf = (target: string, profile: RouteSettings["profile"]) =>
      catalogOf(route("r", [[target]], { profile })).resolve("r").profile;
    expect(profileOf("small", "cerebras")).toBe(Profile.CEREBRAS);
    expect(profileOf("small", undefined)).toBe(Profile.UNSPECIFIED);
    expect(profileOf("gpt-4o", "cerebras")).toBe(Profile.EGP_CHAT);
    expect(profileOf("openai/gpt-4o", "cerebras")).toBe(Profile.CEREBRAS);
  });

  it("is shut down when its last target is", () => {
    const at = (id: string, ms?: number) =>
      entry({ id, provider: "echo", providerModel: id, ...(ms && { deprecationTime: timestampFromMs(ms) }) });
    const catalog = createCatalog(
      [at("x", 1000), at("y", 2000), at("z")],
      ["echo"],
      known,
      [],
      [route("all", [["x"], ["y"]]), route("some", [["x", "z"]])],
    );
    expect(catalog.resolve("all").deprecationTime).toEqual(timestampFromMs(2000));
    expect(catalog.resolve("some").deprecationTime).toBeUndefined();
  });

  it("describes only targets of configured providers", () => {
    const catalog = catalogOf(route("r", [["grok"], ["xai/new", "small"]]));
    expect(catalog.resolve("r")).toMatchObject({ provider: "openai", providerModel: "small" });
    expect(catalog.targetsOf(catalog.resolve("r"))).toEqual([small]);
    expect(catalog.providerOf("r")).toBe("openai");
  });

  it("has no model if no provider of its targets is configured", () => {
    const catalog = catalogOf(route("r", [["grok", "xai/new"]]));
    expect(outcome(() => catalog.resolve("r"))).toEqual([
      "PROVIDER_NOT_CONFIGURED",
      "the route r needs one of its providers, but none is configured: xai (set XAI_API_KEY to turn it on)",
      { metadata: { model: "r", provider: "xai" } },
    ]);
    expect(catalog.list().map(({ id }) => id)).not.toContain("r");
    expect(catalog.providerOf("r")).toBe("xai");
  });

  it("replaces the model or alias of its name", () => {
    const settings = [route("gpt-4o", [["openai/gpt-4o"]]), route("tiny", [["echo/echo"]])];
    const catalog = catalogOf(...settings);
    expect(catalog.resolve("gpt-4o")).toMatchObject({ id: "gpt-4o", displayName: "gpt-4o", aliases: [] });
    expect(catalog.resolve("omni")).toBe(gpt);
    expect(catalog.resolve("tiny")).toMatchObject({ id: "tiny", provider: "echo" });
    expect(catalog.resolve("small").aliases).toEqual([]);
    expect(catalog.list().find(({ id }) => id === "small")).toEqual(catalog.resolve("small"));
    expect(settings.map(({ id }) => catalog.routeOf(id))).toEqual(settings);
    expect(catalog.routeOf("omni")).toBeUndefined();
  });

  it("is suggested for a misspelt name", () => {
    expect(outcome(() => catalogOf(route("chat-fast", [["small"]])).resolve("chat-fats"))).toMatchObject({
      1: expect.stringContaining("did you mean chat-fast?"),
    });
  });
});

describe("deployments of other accounts", () => {
  it("are no targets of a route, and a route of such deployments does not exist", () => {
    const mixed = route("mixed", [["deployments/a", "deployments/b"], ["deployments/open"]]);
    const owned = route("owned", [["deployments/a"]]);
    const catalog = catalogOf(mixed, owned);
    const named = (account: string) => catalog.targetsOf(catalog.resolve("mixed", account))?.map(({ id }) => id);
    expect(named("a")).toEqual(["deployments/a", "deployments/open"]);
    expect(named("b")).toEqual(["deployments/b", "deployments/open"]);
    expect(named("")).toEqual(["deployments/open"]);
    expect(catalog.resolve("owned", "a").providerModel).toBe("a");
    for (const account of ["", "b"]) {
      // The error must not reveal that the route exists.
      for (const name of ["owned", "ownee"]) {
        const without = outcome(() => catalogOf(mixed).resolve(name, account));
        expect(outcome(() => catalog.resolve(name, account))).toEqual(without);
      }
      expect(catalog.list(undefined, account)).toEqual(catalogOf(mixed).list(undefined, account));
      expect(catalog.providerOf("owned", account)).toBeUndefined();
    }
  });

  it("throw if a target is resolved for an account that may not use it", () => {
    const catalog = catalogOf(route("r", [["deployments/a"]]));
    expect(catalog.resolveTarget("deployments/a", "a").id).toBe("deployments/a");
    expect(() => catalog.resolveTarget("deployments/a", "b")).toThrow("there is no deployment a");
  });
});

describe("for any routes", () => {
  const names = ["gpt-4o", "small", "omni", "openai/gpt-4o", "echo/echo", "vllm/x", "openai/new", "grok"];
  const targets = [...names, "deployments/open", "deployments/a", "deployments/b"];
  const routes = fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom(...names, "fast", "slow", "zzz"),
        fc.array(fc.uniqueArray(fc.constantFrom(...targets), { minLength: 1, maxLength: 3 }), {
          minLength: 1,
          maxLength: 3,
        }),
      )
      .map(([id, tiers]) => route(id, tiers)),
    { selector: ({ id }) => id, maxLength: 4 },
  );
  const accounts = fc.constantFrom("", "a", "b");
  const anyName = fc.constantFrom(...targets, "fast", "slow", "nothing", "deployments/none");
  const plain = catalogOf();

  it("a target's name means what it means without routes", () => {
    fc.assert(
      fc.property(routes, anyName, accounts, (settings, name, account) => {
        const found = outcome(() => catalogOf(...settings).resolveTarget(name, account));
        const without = outcome(() => plain.resolve(name, account));
        // The text of an error can suggest the name of a route.
        if (Array.isArray(without)) expect(found).toMatchObject([without[0], expect.any(String), without[2]]);
        else expect(found).toEqual(without);
      }),
    );
  });

  it("a name that is not that of a route means what it means without routes, but for aliases", () => {
    fc.assert(
      fc.property(routes, anyName, accounts, (settings, name, account) => {
        const catalog = catalogOf(...settings);
        if (catalog.routeOf(name) !== undefined) return;
        const found = outcome(() => catalog.resolve(name, account));
        const without = outcome(() => plain.resolve(name, account));
        if (Array.isArray(without)) expect(found).toMatchObject([without[0], expect.any(String), without[2]]);
        else expect({ ...(found as Model), aliases: [] }).toEqual({ ...(without as Model), aliases: [] });
      }),
    );
  });

  it("the list is ordered, has each id once, and its ids and aliases resolve to the same objects", () => {
    fc.assert(
      fc.property(routes, accounts, (settings, account) => {
        const catalog = catalogOf(...settings);
        const listed = catalog.list(undefined, account);
        const ids = listed.map(({ id }) => id);
        expect(ids).toEqual([...new Set(ids)].sort());
        for (const model of listed) {
          for (const name of [model.id, ...model.aliases]) expect(catalog.resolve(name, account)).toBe(model);
        }
        for (const { id } of settings) {
          expect(ids.includes(id)).toBe(!Array.isArray(outcome(() => catalog.resolve(id, account))));
        }
        for (const provider of providers) {
          expect(catalog.list(provider, account)).toEqual(listed.filter((model) => model.provider === provider));
        }
      }),
    );
  });
});
