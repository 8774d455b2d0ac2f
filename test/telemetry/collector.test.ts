import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../bench/processes.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { startProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";
import { startObserved } from "./harness.ts";

/** Prints the packages of OpenTelemetry that a process loads. */
const hooks = `import { registerHooks } from "node:module";
const seen = new Set();
registerHooks({
  load(url, context, next) {
    const [name] = /@opentelemetry\\/[a-z-]+/.exec(url) ?? [];
    if (name !== undefined && !seen.has(name)) process.stderr.write("loaded " + name + "\\n");
    seen.add(name);
    return next(url, context);
  },
});`;
const options = ["--import", `data:text/javascript,${encodeURIComponent(hooks)}`];

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };

async function loadedWith(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await using service = await startProcess(environment, options);
  return [...service.lines, ...service.reports].filter((line) => line.startsWith("loaded "));
}

describe("OpenTelemetry", () => {
  it.each([
    ["without a variable", {}],
    ["with OTEL_SDK_DISABLED", { ...endpoint, OTEL_SDK_DISABLED: "true" }],
  ])("is not loaded %s", async (_, environment) => {
    expect(await loadedWith(environment)).toEqual([]);
  });

  it("is loaded with an endpoint", async () => {
    expect(await loadedWith(endpoint)).toContain("loaded @opentelemetry/sdk-trace");
  });

  it("neither fails calls nor holds up the end of the process if the collector does not respond", async () => {
    const { chat, service } = await startObserved(undefined, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    const { completion } = await chat.completeChat({ chat: scriptEcho({ text: "a" }) });
    expect(completion?.model).toBe("echo/echo");
    await service.stop();
  });

  it("tells the log that the collector rejects what it gets", async () => {
    const receiver = await startOtlpReceiver(400);
    onTestFinished(() => receiver[Symbol.asyncDispose]());
    const { chat, service, log } = await startObserved(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await chat.completeChat({ chat: scriptEcho({ text: "a" }) });
    await service.stop();
    const warnings = log().filter(({ msg }) => msg === "OpenTelemetry reports a problem; calls go on");
    expect(warnings.map(({ problem }) => problem)).toEqual([expect.stringMatching(/^(?!\{).*Bad Request/)]);
  });
});
