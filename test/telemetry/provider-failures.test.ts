import { expect, it } from "vitest";
import { composeService } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load.ts";
import { dialects, providers } from "../../src/providers/registry.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { withOwnStore } from "../support/own-store.ts";
import { withFile } from "../support/service.ts";

/** Nothing listens on this port. */
const yaml = `
providers:
  gone: { dialect: vllm, base_url: "http://127.0.0.1:1/v1" }
routes:
  r: { tiers: [{ targets: [{ model: gone/m }] }, { targets: [{ model: echo/echo }] }] }
`;

it("logs why an attempt could not connect, also if another target responds, and the call succeeds", async () => {
  const lines: Record<string, unknown>[] = [];
  const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
  const config = withFile(yaml, (file) => loadConfig({ environment, file, providers, dialects, models: [] }));
  const log = createLog("info", { write: (line) => void lines.push(JSON.parse(line)) });
  const service = await composeService(withOwnStore(config), log);
  const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "r", messages: [{ role: "user", content: "hi" }] }),
  });
  expect(response.status).toBe(200);
  await service.stop();
  const warnings = lines.filter(({ level }) => level === "warn");
  // The target is tried again, and a service that takes longer than a second writes that, too.
  expect(new Set(warnings.map(({ msg }) => msg))).toEqual(new Set(["the connection to a provider failed"]));
  expect(warnings[0]).toEqual(
    expect.objectContaining({
      provider: "gone",
      reason: "PROVIDER_UNAVAILABLE",
      err: expect.objectContaining({ code: "ECONNREFUSED", message: expect.stringContaining("127.0.0.1:1") }),
    }),
  );
});
