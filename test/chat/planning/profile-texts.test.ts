import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type CallerWords, ownWords } from "../../../src/chat/planning/caller-words.ts";
import { profileAdaptations, profileViolations } from "../../../src/chat/planning/profile.ts";
import { type ProfileSource, profileTexts } from "../../../src/chat/planning/profile-texts.ts";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { type ProfileName, profiles } from "../../../src/profiles/profiles.ts";
import { ask } from "../../support/requests.ts";

const httpWords: CallerWords = {
  isOwn: false,
  nameField: (path) => (path.includes("continue_last_message") ? "continue_final_message" : "topK"),
  memoryStrategy: undefined,
  unstreamed: "set stream to false",
};

const contextOf = (name: ProfileName, source: ProfileSource, words: CallerWords) => ({
  streamed: true,
  maxValues: 1000,
  texts: profileTexts(name, source, words),
  words,
});

type More = NonNullable<Parameters<typeof ask>[2]>;

function descriptionOf(more: More, name: ProfileName, source: ProfileSource, words = ownWords): string | undefined {
  return profileViolations(ask("m", "hi", more), profiles[name], contextOf(name, source, words))[0]?.description;
}

describe("the error of a profile's rule", () => {
  const hot: More = { parameters: { temperature: 1.2 } };

  it.each([
    ["request", "under the profile egp-chat; leave `profile` out, or write a value from 0 to 1"],
    [
      "deployment",
      "under the profile egp-chat of this deployment; set `profile` to PROFILE_PLAIN, or write a value from 0 to 1",
    ],
    ["model", "under the profile egp-chat of this model; set `profile` to PROFILE_PLAIN, or write a value from 0 to 1"],
    ["route", "under the profile egp-chat of this route; set `profile` to PROFILE_PLAIN, or write a value from 0 to 1"],
    [
      "configuration",
      "under the configured profile egp-chat; set `profile` to PROFILE_PLAIN, or write a value from 0 to 1",
    ],
  ] as const)("names the source %s and the way out of it", (source, text) => {
    expect(descriptionOf(hot, "egp-chat", source)).toBe(`must be from 0 to 1 ${text}`);
  });

  it("names the API to its own callers, who have no field for the profile", () => {
    expect(descriptionOf(hot, "egp-chat", "api", httpWords)).toBe("must be from 0 to 1 in this API");
  });

  it("offers no field for the profile to callers of another HTTP API", () => {
    for (const source of ["deployment", "model", "route", "configuration"] as const) {
      expect(descriptionOf(hot, "egp-chat", source, httpWords)).toMatch(
        /^must be from 0 to 1 under [^`;]*egp-chat[^`;]*$/,
      );
    }
  });

  it("never blames the profile plain", () => {
    const stops: More = { parameters: { stopSequences: [...Array(17).keys()].map(String) } };
    expect(descriptionOf(stops, "plain", "default")).toBeUndefined();
  });

  const assistantLast: More = { messages: [{ role: Role.USER }, { role: Role.ASSISTANT }] };
  const jsonObject: More = { outputFormat: { format: { case: "jsonObject", value: {} } } };
  const strict: More = {
    outputFormat: {
      format: { case: "jsonSchema", value: { name: "a", strict: true, schemaJson: '{"properties":{}}' } },
    },
  };
  it.each([
    ["egp-chat", { parameters: { n: 2 } }, "must be 1 under the profile egp-chat; leave `profile` out, or write 1"],
    [
      "cerebras",
      { parameters: { stopSequences: ["a", "b", "c", "d", "e"] } },
      "must have at most 4 entries under the profile cerebras; leave `profile` out, or write at most 4",
    ],
    [
      "cerebras",
      jsonObject,
      "the profile cerebras does not stream JSON objects; leave `profile` out, or call CompleteChat",
    ],
    [
      "cerebras",
      strict,
      "under the profile cerebras, the schema needs additionalProperties: false in strict mode; or leave `profile` out",
    ],
    [
      "deepinfra",
      { messages: [{ role: Role.SYSTEM }, { role: Role.SYSTEM }] },
      "the profile deepinfra allows one system message; leave `profile` out, or merge them",
    ],
    [
      "deepinfra",
      assistantLast,
      "the profile deepinfra requires a user or tool message last; leave `profile` out, or set continue_last_message to continue this message",
    ],
  ] as const satisfies readonly (readonly [
    ProfileName,
    More,
    string,
  ])[])("of %s names the way out: %o", (name, more, text) => {
    expect(descriptionOf(more, name, "request")).toBe(text);
  });

  it("uses the field names and the stream parameter of an HTTP API", () => {
    expect(descriptionOf(jsonObject, "cerebras", "api", httpWords)).toBe(
      "this API does not stream JSON objects; set stream to false",
    );
    expect(descriptionOf(assistantLast, "deepinfra", "api", httpWords)).toBe(
      "this API requires a user or tool message last; set continue_final_message to continue this message",
    );
    expect(descriptionOf(strict, "cerebras", "api", httpWords)).toBe(
      "in this API, the schema needs additionalProperties: false in strict mode",
    );
  });
});

it("names the field in the caller's words if the profile's API does not support it", () => {
  const chat = ask("m", "hi", { parameters: { topK: 4 } });
  const model = create(ModelSchema, { id: "gpt", family: "openai-chat" });
  const messageOf = (source: ProfileSource, words: CallerWords) =>
    profileAdaptations(chat, model, profiles["egp-chat"], contextOf("egp-chat", source, words))[0]?.message;
  const rest = "only for llm-engine, google, anthropic models; gpt is a openai-chat model";
  expect(messageOf("request", ownWords)).toBe(`the profile egp-chat supports parameters.top_k ${rest}`);
  expect(messageOf("api", httpWords)).toBe(`this API supports topK ${rest}`);
});
