import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { scriptEcho } from "../support/requests.ts";
import { parsePage, startObserved, sumOf } from "./harness.ts";

interface Page {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

/** Gets a page. Unlike fetch, it can send any Host. */
function get(address: string | undefined, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}${path}`, { headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], text }));
    });
    sent.once("error", reject).end();
  });
}

const keys = `
authentication:
  keys: [{ id: a, sha256: "${"0".repeat(64)}" }]
`;

describe("the page /metrics", () => {
  it("is on the HTTP listener, in the form that the scraper prefers", async () => {
    const { service } = await startObserved(undefined);
    expect(service.metricsAddress).toBe(service.httpAddress);
    const plain = await get(service.httpAddress, "/metrics");
    expect([plain.status, plain.type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    const open = await get(service.httpAddress, "/metrics", { accept });
    expect(open.type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text.endsWith("# EOF\n")).toBe(true);
  });

  it("needs no API key", async () => {
    const { service } = await startObserved(keys);
    expect((await get(service.httpAddress, "/metrics")).status).toBe(200);
  });

  it("is not for web pages of other names in mode loopback", async () => {
    const { service } = await startObserved("http: { allowed_hosts: [dragoman.internal] }");
    expect((await get(service.httpAddress, "/metrics", { host: "evil.example" })).status).toBe(403);
    expect((await get(service.httpAddress, "/metrics", { origin: "https://evil.example" })).status).toBe(403);
    expect((await get(service.httpAddress, "/metrics", { host: "dragoman.internal" })).status).toBe(200);
  });

  it("moves to a listener of its own, with the same rule", async () => {
    const { service } = await startObserved("telemetry: { metrics_address: 127.0.0.1:0 }");
    expect((await get(service.httpAddress, "/metrics")).status).toBe(404);
    expect((await get(service.metricsAddress, "/metrics")).status).toBe(200);
    expect((await get(service.metricsAddress, "/metrics", { host: "evil.example" })).status).toBe(403);
    expect(await get(service.metricsAddress, "/other")).toMatchObject({
      status: 404,
      text: expect.stringContaining("use GET /metrics"),
    });
    await service.stop();
    await expect(get(service.metricsAddress, "/metrics")).rejects.toThrow("ECONNREFUSED");
  });

  it("is for every name on an address that other machines reach", async () => {
    const { service } = await startObserved("telemetry: { metrics_address: 0.0.0.0:0 }");
    const address = service.metricsAddress?.replace("0.0.0.0", "127.0.0.1");
    expect((await get(address, "/metrics", { host: "dragoman.monitoring.svc" })).status).toBe(200);
  });

  it("has no accounts unless the operator wants them", async () => {
    const { chat, scrape } = await startObserved(undefined);
    await chat.completeChat({ chat: scriptEcho({ text: "a" }, { accountId: "secret-account" }) });
    expect(await scrape()).not.toMatch(/account/);
  });

  it("has the traces of calls as exemplars", async () => {
    const { chat, service } = await startObserved(undefined);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    for (const flags of ["00", "01"]) {
      const headers = { traceparent: `00-${traceId}-b7ad6b716920333${flags[1]}-${flags}` };
      await chat.completeChat({ chat: scriptEcho({ text: "a" }) }, { headers });
    }
    const { text } = await get(service.httpAddress, "/metrics", { accept: "application/openmetrics-text" });
    const exemplars = [...text.matchAll(/^(\w+)_bucket\{.*} \d+ # \{trace_id="(\w+)",span_id="(\w+)"} /gm)];
    expect(exemplars.map(([, name, trace, span]) => [name, trace, span])).toEqual(
      ["call_duration", "first_output", "overhead"].map((name) => [
        ...[`dragoman_${name}_seconds`, traceId, "b7ad6b7169203331"],
      ]),
    );
  });

  it("counts calls in progress", async () => {
    const { chat, scrape } = await startObserved(undefined);
    const leaving = new AbortController();
    onTestFinished(() => leaving.abort());
    const events = chat.streamChat({ chat: scriptEcho({ text: "a b", delay_ms: 60_000 }) }, { signal: leaving.signal });
    const ended = (async () => {
      for await (const _ of events);
    })().catch(() => undefined);
    while (sumOf(parsePage(await scrape()), "dragoman_calls_in_flight") !== 1);
    leaving.abort();
    await ended;
    while (sumOf(parsePage(await scrape()), "dragoman_calls_in_flight") !== 0);
  });
});
