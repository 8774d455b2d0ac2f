import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { defaultBreaker } from "../../src/config/route.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { createEcho } from "../../src/providers/echo/index.ts";
import { Router } from "../../src/routing/router.ts";
import type { Target } from "../../src/routing/target.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

function targetAt(provider: string, baseUrl: string): Target {
  const model = create(ModelSchema, { id: `${provider}/m`, provider, providerModel: "m" });
  return { model, adapter: { ...createEcho(), name: provider, baseUrl } };
}

it("keeps the health of targets that exist after a reload, with its new settings, and forgets the others", () => {
  const router = new Router({ clock: new VirtualClock() });
  const [kept, moved] = [targetAt("kept", "https://one.example"), targetAt("moved", "https://one.example")];
  const state = router.stateFor(kept);
  router.stateFor(moved).breaker.fail();
  state.breaker.fail();
  router.hedgesOf("gone");
  const hedges = router.hedgesOf("fast");

  router.setBreaker({ ...defaultBreaker, consecutive: 2, maxOpenShare: 0.25 });
  router.forgetAll((provider, baseUrl) => provider === "kept" && baseUrl === "https://one.example", ["fast"]);
  expect(router.maxOpenShare).toBe(0.25);
  expect(router.targets().map(({ name }) => name)).toEqual(["kept/m"]);
  expect(router.hedgesOf("fast")).toBe(hedges);
  // Another adapter for the same target has the same state, which opens after one more failure.
  expect(router.stateFor(targetAt("kept", "https://one.example"))).toBe(state);
  state.breaker.fail();
  expect(router.stateOf("kept/m")).toBe("open");
  expect(router.stateFor(targetAt("moved", "https://other.example")).breaker.failureRatio).toBe(0);
});
