import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";
import { type Api, apiNames, apis, everyModelIsEcho } from "./apis.ts";
import { changedJson, hostileJson, type JsonChange, placesOf } from "./json-changes.ts";

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
    const last =
      text
        .trimEnd()
        .split("\n\n")
        .at(-1)
        ?.replace(/^(event: .*\n)?data: /, "") ?? "";
    const failed = last !== "[DONE]" && "error" in JSON.parse(last);
    expect(record.outcome).toBe(failed ? "failed" : "ok");
  } else if (response.status === 200) {
    JSON.parse(text);
    expect(record.outcome).toBe("ok");
  } else {
    api.error.parse(JSON.parse(text));
    expect(["failed", "refused"]).toContain(record.outcome);
    expect(record).toMatchObject({ requestId: response.headers.get("x-request-id") });
  }
  return { status: response.status, text };
}

const change = fc.record({
  place: fc.nat(),
  kind: fc.constantFrom<JsonChange>("replace", "remove", "add", "repeat"),
  text: hostileJson,
});

describe.each(apiNames)("a body of %s", (name) => {
  const api: Api = apis[name];

  it("responds with 200 to a valid body", async () => {
    expect((await post(api, JSON.stringify(api.ask("hi")))).status).toBe(200);
  });

  it("responds to any invalid body with the API's error shape and writes one record", async () => {
    const places = placesOf(api.full);
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ place, kind, text }, stream) => {
        const body = changedJson({ ...api.full, stream }, places[place % places.length] ?? [], kind, text);
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
