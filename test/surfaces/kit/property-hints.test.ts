import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { formatDotted } from "../../../src/field-path.ts";
import { cerebrasSurface } from "../../../src/surfaces/cerebras/chat.ts";
import { deepinfraSurface } from "../../../src/surfaces/deepinfra/chat.ts";
import { egpChatSurface } from "../../../src/surfaces/egp-chat/chat.ts";
import { egpDeploymentSurface } from "../../../src/surfaces/egp-deployment/chat.ts";
import type { ChatSurface } from "../../../src/surfaces/kit/surface.ts";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { apis } from "../apis.ts";
import { noModels } from "../harness.ts";

/** Returns the violations of a body with further properties. */
function violations(surface: ChatSurface, body: object): Readonly<Record<string, string>> {
  try {
    surface.translate(body, {
      parameters: { model_deployment_id: "d" },
      headers: new Headers(),
      catalog: noModels,
    });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return Object.fromEntries(
      (error.facts.fields ?? []).map(({ field, description }) => [formatDotted(field), description]),
    );
  }
  return {};
}

const no = "is not a property of this API";
const chat = (more: object) => violations(egpChatSurface, { ...apis["egp-chat"].ask("hi"), ...more });
const deployment = (more: object) => violations(egpDeploymentSurface, { ...apis["egp-deployment"].ask("hi"), ...more });
const cerebras = (more: object) => violations(cerebrasSurface, { ...apis.cerebras.ask("hi"), ...more });

describe("a missing property", () => {
  const missing = (surface: ChatSurface, body: object) => violations(surface, body);

  it.each([
    [
      "the name is misspelled",
      { model: "gpt-4o", mesages: [] },
      "messages",
      "the request has mesages; did you mean messages?",
    ],
    ["it is in another object", { chat: { model: "m", messages: [] } }, "messages", "write it beside chat, not in it"],
  ])("names where it is if %s", (_, body, field, hint) => {
    for (const surface of [egpChatSurface, cerebrasSurface, deepinfraSurface, openaiSurface]) {
      expect(missing(surface, body)[field]).toContain(hint);
    }
  });

  it("names the misspelled content of a message", () => {
    const body = { model: "m", messages: [{ role: "user", contnt: "hi" }] };
    for (const surface of [cerebrasSurface, deepinfraSurface, openaiSurface]) {
      expect(missing(surface, body)["messages.0.content"]).toContain("did you mean content?");
    }
  });

  it("has no hint if nothing is similar", () => {
    expect(missing(openaiSurface, { model: "m", extra: {} }).messages).toBe("is required");
  });
});

describe("an unknown property", () => {
  it("has the nearest name inside another object", () => {
    expect(chat({ temprature: 1 })).toEqual({ temprature: `${no}; did you mean model_parameters.temperature?` });
  });

  it.each([
    ["temperature", "model_parameters.temperature"],
    ["max_tokens", "model_parameters.max_tokens"],
    ["max_completion_tokens", "model_parameters.max_tokens"],
    ["stop_sequences", "model_parameters.stop_sequences"],
    ["stop", "model_parameters.stop_sequences"],
    ["topP", "model_parameters.topP"],
    ["top_p", "model_parameters.topP"],
    ["top_k", "model_parameters.topK"],
    ["reasoning_effort", "model_parameters.reasoning_effort"],
    ["presence_penalty", "model_parameters.presence_penalty"],
  ])("of Scale EGP chat completions names the place of %s", (name, place) => {
    expect(chat({ [name]: 1 })).toEqual({ [name]: `${no}; write ${place}` });
  });

  it("of an object names the property at the top level", () => {
    expect(chat({ model_parameters: { stream: true, top_p: 0.5, temprature: 1 } })).toEqual({
      "model_parameters.stream": `${no}; write stream at the top level of the body`,
      "model_parameters.top_p": `${no}; write topP`,
      "model_parameters.temprature": `${no}; did you mean temperature?`,
    });
  });

  it("of Scale EGP deployments names what to write", () => {
    expect(deployment({ topP: 0.5, model_parameters: {}, messages: [], bindings: {} })).toEqual({
      topP: `${no}; write top_p`,
      model_parameters: `${no}; write its fields at the top level of the body`,
      messages: `${no}; write prompt and chat_history`,
      bindings: `${no}; write model_request_parameters.bindings`,
    });
  });

  it("gets a hint if it is misspelled, and none if nothing is similar", () => {
    expect(cerebras({ temprature: 1, foo: 1, include_usage: true })).toEqual({
      temprature: `${no}; did you mean temperature?`,
      foo: no,
      include_usage: `${no}; write stream_options.include_usage`,
    });
    expect(cerebras({ messages: [{ role: "user", content: "hi", tool_call_id: "c", nam: "x" }] })).toEqual({
      "messages.0.tool_call_id": no,
      "messages.0.nam": `${no}; did you mean name?`,
    });
  });

  it("has a bounded cost", () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`temperature${index}`, 1]));
    expect(Object.keys(cerebras(many)).length).toBeGreaterThan(0);
  });
});
