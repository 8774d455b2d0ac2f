import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import { createLabelNames } from "../../src/telemetry/metrics/label-names.ts";
import { withFile } from "../support/service.ts";

const yaml = `
routes:
  fast: { tiers: [{ targets: [{ model: openai/a-model-of-tomorrow }] }] }
deployments:
  billing: { model: openai/gpt-4o, display_name: Billing }
`;
const configOf = (text: string) =>
  withFile(text, (file) =>
    loadConfig({ environment: { OPENAI_API_KEY: "k" }, file, providers, dialects, models: listedModels({}) }),
  );
const names = createLabelNames(configOf(yaml));

describe("the values of labels", () => {
  it.each(["openai/gpt-4o", "fast", "openai/a-model-of-tomorrow", ""])("keep the known model %s", (name) => {
    expect(names.model(name)).toBe(name);
  });

  it.each(["openai/typo", "gpt-4o\n", "OPENAI/GPT-4O", "__proto__"])("have other for the unknown model %j", (name) => {
    expect(names.model(name)).toBe("other");
    expect(names.target(name)).toBe("other");
  });

  it("name a target of a route, and no other unlisted one", () => {
    expect(names.target("openai/a-model-of-tomorrow")).toBe("openai/a-model-of-tomorrow");
    expect(names.target("openai/gpt-4o")).toBe("openai/gpt-4o");
    expect(names.target("openai/another")).toBe("other");
  });

  it("know providers and reasons", () => {
    expect(["openai", "nobody", ""].map((name) => names.provider(name))).toEqual(["openai", "other", ""]);
    expect(["QUEUE_FULL", "toString", ""].map((name) => names.reason(name))).toEqual(["QUEUE_FULL", "other", ""]);
  });

  it("are also the names that a reload adds, and still the former ones, which calls in progress may use", () => {
    const grown = createLabelNames(configOf(yaml));
    expect(grown.model("slow")).toBe("other");
    grown.add(configOf("routes: { slow: { tiers: [{ targets: [{ model: openai/another }] }] } }"));
    expect(["slow", "fast"].map((name) => grown.model(name))).toEqual(["slow", "fast"]);
    expect(grown.target("openai/another")).toBe("openai/another");
  });
});
