import { describe, expect, it } from "vitest";
import { composeService } from "../src/compose.ts";
import { loadConfig } from "../src/config/load.ts";
import { createLog } from "../src/telemetry/log.ts";
import { withOwnStore } from "./support/own-store.ts";
import { RoutingViewInMemory } from "./support/routing-view.ts";

describe("the composed service", () => {
  it("logs changes of targets while it runs, and its admin calls as every call", async () => {
    const lines: Record<string, unknown>[] = [];
    const routing = new RoutingViewInMemory();
    const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
    const log = createLog("info", { write: (line) => void lines.push(JSON.parse(line)) });
    const config = withOwnStore(loadConfig({ environment, providers: [], models: [] }));
    const service = await composeService(config, log, { routing });
    routing.move("openai/gpt-4o", "open", "PROVIDER_UNAVAILABLE");
    const headers = { "content-type": "application/json" };
    const path = "/dragoman.admin.v1.RoutingService/ListTargets";
    const response = await fetch(`http://${service.httpAddress}${path}`, { method: "POST", headers, body: "{}" });
    expect(await response.json()).toEqual({ targets: [{ name: "openai/gpt-4o", state: "TARGET_STATE_OPEN" }] });
    await service.stop();
    routing.move("openai/gpt-4o", "closed");
    expect(lines).toMatchObject([
      { level: "warn", msg: "target changed state", target: "openai/gpt-4o", reason: "PROVIDER_UNAVAILABLE" },
      { level: "info", msg: "call", method: "ListTargets", protocol: "connect", outcome: "ok", attempts: [] },
    ]);
    expect(routing.listeners).toBe(0);
  });
});
