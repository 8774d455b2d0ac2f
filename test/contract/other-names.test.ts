import { expect, it } from "vitest";
import type { Adaptation } from "../../src/chat/planning/adaptations.ts";
import { dialects as definitions } from "../../src/providers/registry.ts";
import { configured } from "../support/configured.ts";
import { dialects } from "./load-dialects.ts";

const other = "other-name";
const base = "http://127.0.0.1:9";

const names = definitions.filter(({ variables }) => variables.baseUrl !== undefined).map(({ name }) => name);

const toFacts = ({ kind, field, message }: Adaptation) => ({ kind, field, message });

it.each(names)("makes of %s under another name the same requests", (name) => {
  const { model, everything } = dialects.find((dialect) => dialect.name === name) ?? expect.fail("no dialect");
  const section = name === "bedrock" ? { options: { region: "us-east-1" } } : {};
  const own = configured(name, base, section);
  const added = configured(name, base, { ...section, as: other });
  expect([added.name, added.dialect, added.baseUrl]).toEqual([other, own.dialect, own.baseUrl]);
  expect(own.dialect).toBe(name);
  const { [name]: options = {}, ...rest } = everything.request.providerOptions;
  const request = { ...everything.request, providerOptions: { ...rest, [name]: { surplus: true }, [other]: options } };
  const renamed = { ...model, provider: other };
  const text = (value: unknown) => JSON.stringify(value).replaceAll(other, name);
  expect(text(added.describe(request, renamed))).toBe(text(own.describe(everything.request, model)));
  const found = added.checkSupport(request, renamed).map(toFacts);
  expect(text(found)).toBe(text(own.checkSupport(everything.request, model).map(toFacts)));
  expect(added.keys?.map(({ secret }) => secret.reveal())).toEqual(["sk-test-key"]);
});
