import { spawnSync } from "node:child_process";
import { create, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reasons } from "../../src/errors.ts";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { tokenKindNames } from "../../src/telemetry/metrics/call-metrics.ts";
import { accountDefinitions, definitions } from "../../src/telemetry/metrics/definitions.ts";
import { processDefinitions } from "../../src/telemetry/metrics/process-metrics.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { findProgram, isMissing } from "../support/server-process.ts";
import { type ObservedService, parsePage, type Sample, startObserved, sumOf } from "./harness.ts";

const yaml = `
routes:
  two: { tiers: [{ targets: [{ model: cloud-a/echo }] }, { targets: [{ model: echo/echo }] }] }
providers:
  cloud-a: { dialect: echo }
telemetry: { max_account_labels: 2 }
`;

const kinds = [
  ...["answers", "streams", "fails", "falls back", "is unknown", "is invalid", "is cancelled", "is late"],
  ...["http", "http invalid", "lists"],
] as const;
type Kind = (typeof kinds)[number];

interface Planned {
  readonly kind: Kind;
  /** Distinguishes names that a caller makes up. */
  readonly number: number;
}

const load = fc.array(fc.record({ kind: fc.constantFrom(...kinds), number: fc.nat(1e6) }), {
  ...{ minLength: 40, maxLength: 60 },
});

const late = () => scriptEcho({ text: "a", delay_ms: 5000 });

/** Makes a call of each kind, and ignores how it ends. */
async function makeCall({ service, chat }: ObservedService, { kind, number }: Planned): Promise<void> {
  const accountId = `account-${number % 5}`;
  const post = (body: unknown) =>
    fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }).then((response) => response.text());
  switch (kind) {
    case "answers":
      return void (await chat.completeChat({ chat: scriptEcho({ text: "a b" }, { accountId }) }));
    case "streams":
      for await (const _ of chat.streamChat({ chat: scriptEcho({ text: "a b c" }, { accountId }) }));
      return;
    case "fails":
      return void (await chat.completeChat({
        chat: scriptEcho({ fail: { reason: "PROVIDER_FAULT", http_status: 500 } }),
      }));
    case "falls back": {
      const fail = { fail: { reason: "PROVIDER_UNAVAILABLE", http_status: 503 } };
      return void (await chat.completeChat({ chat: ask("two", "hi", { providerOptions: { "cloud-a": fail } }) }));
    }
    case "is unknown":
      return void (await chat.completeChat({ chat: ask(`typo-${number}`, "hi") }));
    case "is invalid":
      return void (await chat.completeChat({}));
    case "is cancelled": {
      const leaving = new AbortController();
      const script = scriptEcho({ text: "a b c", delay_ms: 1000 });
      const events = chat.streamChat({ chat: script }, { signal: leaving.signal });
      for await (const _ of events) leaving.abort();
      return;
    }
    case "is late":
      // The client has no timer of its own, with which it could leave before the service has begun the call.
      return void (await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`, {
        method: "POST",
        headers: { "content-type": "application/json", "connect-timeout-ms": "60" },
        body: toJsonString(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat: late() })),
      }).then((response) => response.text()));
    case "http":
      return void (await post({ model: "echo/echo", messages: [{ role: "user", content: `${number}` }] }));
    case "http invalid":
      return void (await post({ model: `echo/${number}`, messages: "no" }));
    case "lists": {
      const transport = createConnectTransport({ baseUrl: `http://${service.httpAddress}`, httpVersion: "1.1" });
      return void (await createClient(ModelService, transport).listModels({}));
    }
    default:
      return kind satisfies never;
  }
}

const isKnown: Readonly<Record<string, (value: string) => boolean>> = {
  outcome: (value) => /^(ok|failed|cancelled|deadline_exceeded|refused|answered|abandoned)$/.test(value),
  reason: (value) => value === "" || Object.hasOwn(reasons, value),
  kind: (value) => tokenKindNames.includes(value),
  provider: (value) => ["", "echo", "cloud-a"].includes(value),
  model: (value) => ["", "other", "two", "echo/echo", "cloud-a/echo"].includes(value),
  target: (value) => ["other", "echo/echo", "cloud-a/echo"].includes(value),
  method: (value) => ["CompleteChat", "StreamChat", "ListModels", "openai"].includes(value),
  account: (value) => ["", "other"].includes(value) || /^account-[0-4]$/.test(value),
  le: (value) => value === "+Inf" || Number(value) > 0,
  version: (value) => value === process.version,
};

/** Counts calls by method, outcome and reason. */
function countsOf(calls: readonly (readonly [count: number, method: unknown, outcome: unknown, reason: unknown])[]) {
  const counts = new Map<string, number>();
  for (const [count, ...words] of calls) {
    const name = words.map((word) => word ?? "").join(" ");
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...counts].sort());
}

/** Returns the page once no call is in progress. A call that its caller cancelled may end a little later. */
async function settled(observed: ObservedService): Promise<string> {
  for (;;) {
    const page = await observed.scrape();
    if (sumOf(parsePage(page), "dragoman_calls_in_flight") === 0) return page;
  }
}

const labelsOf = (samples: readonly Sample[]) => samples.flatMap(({ labels }) => Object.entries(labels));

const promtool = findProgram("promtool");

describe("the metrics of a random load", () => {
  it("agree with the records, return to no call in progress, and have no label that callers made up", async () => {
    await fc.assert(
      fc.asyncProperty(load, async (planned) => {
        const observed = await startObserved(yaml);
        await Promise.all(planned.map((call) => makeCall(observed, call).catch(() => undefined)));
        const page = await settled(observed);
        const samples = parsePage(page);
        const records = observed.log().filter(({ msg }) => msg === "call");
        expect(records).toHaveLength(planned.length);
        expect(sumOf(samples, "dragoman_calls_total")).toBe(planned.length);
        expect(
          countsOf(
            samples
              .filter(({ name }) => name === "dragoman_calls_total")
              .map(({ labels, value }) => [value, labels.method, labels.outcome, labels.reason]),
          ),
        ).toEqual(countsOf(records.map(({ method, outcome, reason }) => [1, method, outcome, reason])));
        expect(sumOf(samples, "dragoman_call_duration_seconds_count")).toBe(planned.length);
        expect(sumOf(samples, "dragoman_account_calls_total")).toBe(planned.length);
        const attempts = records.flatMap((record) => record.attempts as unknown[]);
        expect(sumOf(samples, "dragoman_attempts_total")).toBe(attempts.length);
        const asked = records.filter(({ overhead_ms }) => overhead_ms !== undefined);
        expect(sumOf(samples, "dragoman_overhead_seconds_count")).toBe(asked.length);
        const accounts = new Set(samples.flatMap(({ labels }) => labels.account ?? []));
        expect([...accounts].filter((account) => account.startsWith("account-")).length).toBeLessThanOrEqual(2);
        for (const [label, value] of labelsOf(samples))
          expect([label, value, isKnown[label]?.(value)]).toEqual([label, value, true]);
        await observed.service.stop();
      }),
      { numRuns: Number(process.env.TELEMETRY_RUNS ?? 2) },
    );
  });

  it("has exactly the metrics of the definitions", async () => {
    const observed = await startObserved(yaml);
    const page = await observed.scrape();
    const names = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    const all = [definitions, accountDefinitions, processDefinitions].flatMap((table) => Object.values(table));
    expect(names.sort()).toEqual(all.map(({ name, type }) => [name, type]).sort());
  });

  it.skipIf(isMissing("promtool", promtool, "apt-get install prometheus"))("pass promtool's check", async () => {
    const observed = await startObserved(yaml);
    await observed.chat.completeChat({ chat: scriptEcho({ text: "a" }) });
    const result = spawnSync(promtool ?? "", ["check", "metrics"], {
      input: await observed.scrape(),
      encoding: "utf8",
    });
    expect([result.status, result.stdout, result.stderr]).toEqual([0, "", ""]);
  });

  it("counts a rejection that came before there was a call", async () => {
    const observed = await startObserved("limits: { max_streams_per_address: 8 }\n");
    const held = new AbortController();
    const script = { text: "a", delay_ms: 60_000 };
    const calls = Array.from({ length: 8 }, () =>
      observed.chat.completeChat({ chat: scriptEcho(script) }, { signal: held.signal }),
    );
    const ended = Promise.allSettled(calls);
    while (sumOf(parsePage(await observed.scrape()), "dragoman_calls_in_flight") < 8);
    const refused = await observed.chat.completeChat({ chat: scriptEcho(script) }).catch(ConnectError.from);
    expect(refused).toMatchObject({ code: Code.Unavailable });
    const rejections = async () => sumOf(parsePage(await observed.scrape()), "dragoman_rejected_total");
    // The page can be one that was written before.
    while ((await rejections()) === 0);
    expect(await rejections()).toBe(1);
    held.abort();
    await ended;
  });
});
