import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestService, type TestService } from "../../support/service.ts";
import { apiNames, apis } from "../apis.ts";
import { readEvents } from "../harness.ts";

let service: TestService;
beforeAll(async () => {
  const yaml = `
models:
  gpt-4o: { provider: echo, provider_model: echo }
  llama3.1-8b: { provider: echo, provider_model: echo, profile: cerebras }
  meta-llama/Llama-2-70b-chat-hf: { provider: echo, provider_model: echo, profile: deepinfra }
deployments:
  support: { model: gpt-4o, parameters: [{ name: tone, type: string, description: How to speak. }] }
`;
  service = await startTestService({}, undefined, yaml);
});
afterAll(() => service.stop());

const script = {
  reasoning: "let me search",
  server_tools: [{ name: "web_search", output: [] }],
  text: "far away",
  citations: [{ cited_text: "far" }],
  media: [{ media_type: "image/png", data: "AQID" }],
  sources: [{ cited_text: "away" }],
  provider_metadata: { filter: "none" },
};

const list = z.array(z.strictObject({ reason: z.string(), field: z.string(), message: z.string() }));

/** Returns the messages of the warnings LEFT_OUT about the response in a list of warnings. */
function omissions(warnings: string | null | undefined): readonly string[] {
  return list
    .parse(JSON.parse(warnings ?? "[]"))
    .filter(({ reason, field }) => reason === "LEFT_OUT" && field === "")
    .map(({ message }) => /^the response has (.*), for which this API has no field/.exec(message)?.[1] ?? message);
}

function post(name: (typeof apiNames)[number], content: object, stream: boolean): Promise<Response> {
  const { path, ask } = apis[name];
  return fetch(`http://${service.httpAddress}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ask(JSON.stringify({ echo: content }), { stream })),
  });
}

describe.each(apiNames)("a response of %s", (name) => {
  const expected = [
    ...(name.startsWith("egp") ? ["reasoning"] : []),
    ...(name === "responses" || name === "messages"
      ? []
      : ["calls of the provider's tools", "results of the provider's tools"]),
    "citations",
    ...(name === "openai" || name === "responses" ? [] : ["media"]),
    "sources",
    ...(name === "openai" || name === "responses" || name === "messages" ? [] : ["metadata of the provider"]),
  ];
  /** Content of the script that this API shows, or carries for the next request. */
  const kept = {
    text: script.text,
    reasoning: script.reasoning,
    ...(name === "openai" && { media: script.media }),
    ...(name === "responses" && {
      media: script.media,
      server_tools: script.server_tools,
      citations: script.citations,
    }),
    ...(name === "messages" && { server_tools: script.server_tools }),
  };

  it("names what the API has no field for in its header", async () => {
    const response = await post(name, script, false);
    expect(omissions(response.headers.get("x-dragoman-warnings"))).toEqual(expected);
    expect(await response.text()).toContain("far away");
  });

  it("names what the API has no field for in the comment at the end of a stream, and sends no empty chunk", async () => {
    const { data, comments } = await readEvents(await post(name, script, true));
    const last = comments.findLast((comment) => comment.startsWith("x-dragoman-warnings: "));
    expect(omissions(last?.replace("x-dragoman-warnings: ", ""))).toEqual(expected);
    expect(data).toHaveLength((await readEvents(await post(name, kept, true))).data.length);
  });

  it("has no such warning if every field has a place", async () => {
    const response = await post(name, { text: "far away" }, false);
    expect(omissions(response.headers.get("x-dragoman-warnings"))).toEqual([]);
  });
});
