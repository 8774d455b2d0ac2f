import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProfileSource } from "../../src/chat/planning/profile-texts.ts";
import { Profile, ProfileSchema } from "../../src/gen/dragoman/v1/profile_pb.js";
import { profileNames } from "../../src/profiles/profiles.ts";
import { profileName, profileValues, selectProfile } from "../../src/profiles/select-profile.ts";

const anyName = fc.option(fc.constantFrom(...profileNames), { nil: undefined });
const toValue = (name: (typeof profileNames)[number] | undefined) =>
  name === undefined ? Profile.UNSPECIFIED : profileValues[name];

const candidates = {
  request: anyName,
  api: anyName,
  model: anyName,
  isDeployment: fc.boolean(),
  route: anyName,
  configured: anyName,
};

describe("the profile of a call", () => {
  it("is that of the first source that has one, for every combination of sources", () => {
    fc.assert(
      fc.property(fc.record(candidates), ({ request, api, model, isDeployment, route, configured }) => {
        const selected = selectProfile({
          request: toValue(request),
          api,
          model: toValue(model),
          isDeployment,
          route,
          configured,
        });
        const inOrder: readonly [typeof request, ProfileSource][] = [
          [api, "api"],
          [model, isDeployment ? "deployment" : "model"],
          [route, "route"],
          [configured, "configuration"],
          ["plain", "default"],
        ];
        const [name, source] = inOrder.find(([candidate]) => candidate !== undefined) ?? [];
        expect(selected.name).toBe(request ?? name);
        // Leaving the field out changes nothing if the request sets the profile that applies anyway.
        expect(selected.source).toBe(request === undefined || request === name ? source : "request");
      }),
      // Of 6 ⁵ × 2 combinations.
      { numRuns: 5000 },
    );
  });
});

describe("the names of profiles", () => {
  it("has one name in the configuration for each value of the enum", () => {
    expect(ProfileSchema.values.slice(1).map(({ number }) => profileName(number))).toEqual(profileNames);
    expect(ProfileSchema.values.slice(1).map(({ name }) => name)).toEqual(
      profileNames.map((name) => `PROFILE_${name.toUpperCase().replace("-", "_")}`),
    );
  });

  it("has no name for an unset value and a value of a later version", () => {
    expect(profileName(Profile.UNSPECIFIED)).toBeUndefined();
    expect(profileName(99 as Profile)).toBeUndefined();
  });
});
