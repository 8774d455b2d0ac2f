import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";
import { type Api, apiNames, apis, everyModelIsEcho } from "./apis.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, undefined, everyModelIsEcho);
});
afterAll(() => service.stop());

/** Posts a body and checks what is true of every response: no 5xx, the API's error shape, and one matching record. */
async function post(api: Api, body: string): Promise<{ status: number; text: string }> {
  service.forgetRecords();
  const [records, faults] = [service.records.length, service.faults.length];
  const response = await fetch(`http://${service.httpAddress}${api.path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  const record = await service.nextRecord();
  expect(service.records).toHaveLength(records + 1);
  expect(service.faults.slice(faults)).toEqual([]);
  expect(response.status).toBeLessThan(500);
  if (isStream) {
    // A stream that fails after its start must not end as if it were complete.
    const last = text.trimEnd().split("\n\n").at(-1)?.replace("data: ", "") ?? "";
    const failed = last !== "[DONE]" && "error" in JSON.parse(last);
    expect(record.outcome).toBe(failed ? "error" : "ok");
  } else if (response.status === 200) {
    JSON.parse(text);
    expect(record.outcome).toBe("ok");
  } else {
    api.error.parse(JSON.parse(text));
    expect(record).toMatchObject({ outcome: "error", requestId: response.headers.get("x-request-id") });
  }
  return { status: response.status, text };
}

/** JSON texts of unexpected values. */
const hostile = fc.oneof(
  fc.constantFrom(
    ...["null", "true", "0", "-1", "-0", "1e400", "1.5", "12345678901234567890", "99999999999999999999999999"],
    ...['""', '"\\ud800"', '"\\u0000"', "[]", "{}", "[null]", "[[]]", '[{"type":"text"}]', '{"__proto__":{"a":1}}'],
    ...['{"constructor":{"prototype":{}}}', '{"toJSON":1,"then":2}', '{"type":"__proto__"}', '{"role":"constructor"}'],
    ...[`"${"a".repeat(5000)}"`, `[${"0,".repeat(500)}0]`, `{"[[[[\\"":"x"}`],
    "[".repeat(100) + "]".repeat(100),
    "[".repeat(10_000) + "]".repeat(10_000),
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  ),
  fc.json(),
);

type Change = "replace" | "remove" | "add" | "repeat";
const change = fc.record({
  place: fc.nat(),
  kind: fc.constantFrom<Change>("replace", "remove", "add", "repeat"),
  text: hostile,
});

/** Returns the paths of all values in a body. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inside = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [path, ...inside.flatMap(([key, entry]) => placesOf(entry, [...path, key]))];
}

/** Returns the JSON text of a body with one change; undefined if the change removes the whole body. */
function changed(value: unknown, [step, ...rest]: readonly string[], kind: Change, text: string): string | undefined {
  if (step !== undefined && typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([key, entry]) => {
      const json = key === step ? changed(entry, rest, kind, text) : JSON.stringify(entry);
      return json === undefined ? [] : [Array.isArray(value) ? json : `${JSON.stringify(key)}:${json}`];
    });
    return Array.isArray(value) ? `[${entries}]` : `{${entries}}`;
  }
  const json = JSON.stringify(value);
  if (kind === "remove") return undefined;
  const isObject = json.startsWith("{") && json !== "{}";
  if (kind === "add" && isObject) return `${json.slice(0, -1)},"__proto__":${text},"x":${text}}`;
  // Duplicate keys: JSON.parse keeps the last value.
  if (kind === "repeat" && isObject) return `${json.slice(0, -1)},${json.slice(1, -1).replace(/:.*/s, "")}:${text}}`;
  return text;
}

describe.each(apiNames)("a body of %s", (name) => {
  const api: Api = apis[name];

  it("responds with 200 to a valid body", async () => {
    expect((await post(api, JSON.stringify(api.ask("hi")))).status).toBe(200);
  });

  it("responds to any invalid body with the API's error shape and writes one record", async () => {
    const places = placesOf(api.full);
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ place, kind, text }, stream) => {
        const body = changed({ ...api.full, stream }, places[place % places.length] ?? [], kind, text);
        await post(api, body ?? "");
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["10,000 nested lists", "[".repeat(10_000), 0],
    ["10,000 nested objects in a field", `{"x":${'{"a":'.repeat(10_000)}`, 0],
    ["eight million invalid messages", `{"messages":[${"0,".repeat(8_000_000)}0],"chat_history":[]}`, 413],
    ["a million properties", `{${Array.from({ length: 1_000_000 }, (_, index) => `"${index}":0`)}}`, 413],
  ])("rejects %s before parsing the body", async (_what, body, status) => {
    expect((await post(api, body)).status).toBe(status || api.invalid);
  });

  it("rejects a number with a million digits quickly", async () => {
    const digits = "9".repeat(1_000_000);
    const { status, text } = await post(
      api,
      JSON.stringify(api.ask("hi", { temperature: 0.5 })).replace("0.5", digits),
    );
    expect(status).toBe(api.invalid);
    expect(text).not.toContain("999");
  });

  it("sends a short error for 20,000 invalid fields or a very long field name", async () => {
    const many = Array.from({ length: 20_000 }, () => ({ role: "cook", content: 1 }));
    for (const more of [
      { messages: many, chat_history: many },
      { temperature: "x", ["k".repeat(1_000_000)]: 1 },
    ]) {
      const { status, text } = await post(api, JSON.stringify(api.ask("hi", more)));
      expect(status).toBe(api.invalid);
      expect(text.length).toBeLessThan(50_000);
    }
  });

  it("rejects an image URL that would make the data URI regex slow", async () => {
    const url = `data:${"a".repeat(1_000_000)},x`;
    const { status } = await post(api, JSON.stringify(api.ask([{ type: "image_url", image_url: { url } }])));
    expect(status).toBe(api.invalid);
  });

  it("truncates long names in the call record", async () => {
    const long = "x".repeat(1_000_000);
    await post(api, JSON.stringify(api.ask("hi", { model: long, user: long, account_id: long })));
    expect(JSON.stringify(service.records.at(-1)).length).toBeLessThan(5000);
  });
});

it("responds with 404 to a deployment name with invalid percent-encoding", async () => {
  const api = { ...apis["egp-deployment"], path: "/v4/models/%zz/chat-completions" };
  expect(await post(api, JSON.stringify(api.ask("hi")))).toMatchObject({ status: 404 });
});
