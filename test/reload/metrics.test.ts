import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { freePort } from "../../bench/processes.ts";
import { startReloadable } from "./harness.ts";

const model = (name: string) => `${name}: { provider: echo, provider_model: echo }`;

/** Requests a page with a Host header of one's own. */
async function get(address: string, path: string, host: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  request(`http://${address}${path}`, { headers: { host } }, (response) => {
    text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  })
    .on("error", reject)
    .end();
  return promise;
}

async function call(address: string, name: string): Promise<number> {
  const response = await fetch(`http://${address}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: name, messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.text();
  return response.status;
}

describe.each([
  ["on the HTTP listener", ""],
  ["on its own listener", "telemetry: { metrics_address: 127.0.0.1:PORT }\n"],
])("/metrics %s, after a reload", (_, section) => {
  it("has the names of the new configuration, and follows its hosts", async () => {
    const port = section === "" ? 0 : await freePort();
    const fixed = section.replace("PORT", String(port));
    await using service = await startReloadable(`${fixed}models: { ${model("first")} }`);
    const page = section === "" ? service.httpAddress : `127.0.0.1:${port}`;
    expect(await call(service.httpAddress, "first")).toBe(200);
    expect((await get(page, "/metrics", "gateway.example")).status).toBe(403);
    await service.reload(
      `${fixed}http: { allowed_hosts: [gateway.example] }\nmodels: { ${model("first")}, ${model("second")} }`,
    );
    expect(await call(service.httpAddress, "second")).toBe(200);
    const { status, body } = await get(page, "/metrics", "gateway.example");
    expect(status).toBe(200);
    expect(body).toMatch(/dragoman_calls_total\{[^}]*model="first"/);
    expect(body).toMatch(/dragoman_calls_total\{[^}]*model="second"/);
  });
});
