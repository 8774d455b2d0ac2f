import { ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { dialects } from "../../src/providers/registry.ts";
import { createCallLog } from "../../src/telemetry/call-log.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";
import { createTextLog } from "../support/text-log.ts";

const names = dialects.filter(({ variables }) => variables.baseUrl !== undefined).map(({ name }) => name);
const keys = ["one", "two", "three"].map((name) => ({ name, value: `secret-of-key-${name}-0123456789` }));
const quoted = keys.map(({ value }) => value).join(" and ");

/** Responses that quote all keys: in an error, in headers, and in a body that is no answer. */
const scripts: readonly Script[] = [400, 401, 403, 404, 429, 500, 200].map((status) => ({
  status,
  headers: {
    "content-type": "application/json",
    "x-request-id": keys[0]?.value ?? "",
    "request-id": keys[1]?.value ?? "",
    "x-ratelimit-key": keys[1]?.value ?? "",
    "anthropic-ratelimit-key": keys[2]?.value ?? "",
  },
  steps: [
    { write: JSON.stringify({ error: { message: `no ${quoted}`, code: keys[2]?.value, type: keys[1]?.value } }) },
  ],
}));

/** Does not wait for a key that a rate limit has put out of use. */
const routes = {
  r: {
    tiers: [{ targets: [{ model: "pool/llama-3-8b-instruct" }] }],
    attempts: { max: 3, per_target: 3 },
    retry: { retry_after_up_to: "1ms" },
  },
};

it.each(
  names,
)("keeps all keys of a pool out of errors, records and log lines of %s, which name the key", async (dialect) => {
  await using upstream = await startReplayUpstream(...scripts);
  const section = {
    dialect,
    base_url: upstream.baseUrl,
    keys,
    ...(dialect === "bedrock" && { options: { region: "us-east-1" } }),
  };
  const lines = createTextLog();
  const callLog = createCallLog(lines.log);
  const service = await startTestService({}, undefined, stringify({ providers: { pool: section }, routes }));
  try {
    for (const _ of scripts) {
      const chat = ask("r", "hi");
      const error = await service
        .chatClient("grpc")
        .completeChat({ chat })
        .catch((thrown: unknown) => ConnectError.from(thrown));
      if (!(error instanceof ConnectError)) return expect.fail("the call must fail");
      const details = error.details.map((detail) => JSON.stringify(detail, (_key, value) => shownIn(value)));
      const shown = [error.rawMessage, ...details, JSON.stringify([...error.metadata])].join("\n");
      for (const { value } of keys) expect(shown).not.toContain(value);
    }
    for (const record of service.records) {
      callLog.settled?.(record, undefined);
      for (const attempt of record.attempts) expect(keys.map(({ name }) => name)).toContain(attempt.credential);
    }
    for (const fault of service.faults) lines.log.error({ err: fault.cause ?? fault }, "fault");
    expect(service.records.length).toBe(scripts.length);
    expect(lines.text).toContain('"credential":"');
    for (const { value } of keys) expect(lines.text).not.toContain(value);
    const sent = upstream.requests.map(({ headers }) => JSON.stringify(headers));
    expect(sent.every((text) => keys.some(({ value }) => text.includes(value)))).toBe(true);
  } finally {
    await service.stop();
  }
});

/** Shows bytes as text, so that a key in an encoded detail is found. */
function shownIn(value: unknown): unknown {
  return value instanceof Uint8Array
    ? Buffer.from(value).toString("latin1")
    : typeof value === "bigint"
      ? `${value}`
      : value;
}
