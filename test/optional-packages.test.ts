import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { missingPackages } from "../src/optional-packages.ts";

const root = resolve(import.meta.dirname, "..");
const { optionalDependencies } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));

it("names the packages that are not installed, and the command that installs them", () => {
  expect(missingPackages(Object.keys(optionalDependencies))).toBeUndefined();
  expect(missingPackages(["@redis/client", "@redis/absent", "absent"])).toEqual({
    problem: "needs packages that are not installed: @redis/absent, absent",
    fix: "run `npm install --include=optional`",
  });
});

it.each(Object.keys(optionalDependencies))("the configuration checks that %s is installed", (name) => {
  const checks = ["providers/bedrock/index.ts", "providers/vertex/index.ts", "config/state-schema.ts"].map((file) =>
    readFileSync(resolve(root, "src", file), "utf8"),
  );
  expect(checks.some((text) => text.includes("missingPackages(") && text.includes(`"${name}"`))).toBe(true);
});
