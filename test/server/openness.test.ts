import { type FileRegistry, fromBinary, fromJson, type JsonObject, type Message, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { additions, contractWithout, messageOf, newerContract, novelty } from "../support/contract-versions.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { type Protocol, protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Returns a client of a version of the contract, with the types of this version. */
function clientOf(contract: FileRegistry, protocol: Protocol): Client<typeof ChatService> {
  const descriptor = contract.getService("dragoman.v1.ChatService");
  if (descriptor === undefined) throw new Error("the contract has no ChatService");
  return service.client(descriptor, protocol) as unknown as Client<typeof ChatService>;
}

/** Response with every kind of content that there is. */
const everything: JsonObject = {
  reasoning: "let me search",
  server_tools: [{ name: "web_search", input: { q: "far" }, output: ["found"] }],
  text: "It is far away.",
  citations: [{ start: 6, end: 9, url: { url: "https://a.example" } }],
  refusal: "no more",
  media: [{ media_type: "image/png", data: "AQIDBA==", fragments: 2 }],
  tool_calls: [{ name: "f", arguments: { a: 1 } }],
  sources: [{ url: { url: "https://b.example" } }],
  provider_metadata: { filter: "none" },
  completion_metadata: { container: "c" },
};

const versions: readonly (readonly [string, FileRegistry])[] = [
  ...Object.entries(additions).map(([name, fields]) => [name, contractWithout(fields)] as const),
  ["any of them", contractWithout(Object.values(additions).flat())],
];

async function streamed(client: Client<typeof ChatService>, chat: ChatRequest): Promise<ChatCompletion> {
  const fold = createFold();
  for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
  return fold.completion;
}

describe.each(protocols)("over %s", (protocol) => {
  it.each(
    versions,
  )("accepts back what a client without %s folds, with or without its unknown fields", async (_, contract) => {
    const client = clientOf(contract, protocol);
    const chat = scriptEcho(everything);
    const { completion: whole } = await client.completeChat({ chat });
    const folded = await streamed(client, chat);
    const schema = messageOf(contract, "Message");
    for (const completion of [whole, folded]) {
      const said = completion?.choices[0]?.message;
      if (said === undefined) throw new Error("the response has no message");
      const forgotten = fromBinary(schema, toBinary(schema, said), { readUnknownFields: false }) as typeof said;
      for (const message of [said, forgotten]) {
        const next = ask("echo/echo", "and then?");
        const messages = [...chat.messages, message, ...next.messages];
        const { completion: second } = await client.completeChat({ chat: { ...next, messages } });
        const fields = second?.warnings.filter(({ reason }) => reason === "LEFT_OUT").map(({ field }) => field) ?? [];
        expect(fields).toEqual(fields.map(() => expect.stringMatching(/^messages\[1\]\.parts\[\d\]/)));
        message.parts.forEach(({ kind }, index) => {
          if (kind.case === undefined && message === forgotten) expect(fields).toContain(`messages[1].parts[${index}]`);
        });
        expect(second?.choices[0]?.message?.parts[0]?.kind).toEqual({ case: "text", value: "and then?" });
      }
    }
  });
});

const newer = newerContract();
const textPart = (text: string): JsonObject => ({ text, [novelty.field]: "new" });
const hologram: JsonObject = { [`${novelty.case}_kind`]: "shape" };
const said = (role: string, ...parts: JsonObject[]): JsonObject => ({
  role: `ROLE_${role}`,
  parts,
  [novelty.field]: "new",
});

/** Sends a request of the newer contract, written as JSON. */
function askNewer(protocol: Protocol, chat: JsonObject) {
  const request: Message = fromJson(messageOf(newer, "CompleteChatRequest"), { chat: { model: "echo/echo", ...chat } });
  return clientOf(newer, protocol).completeChat(request as never);
}

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(() => undefined, ConnectError.from);
  return {
    code: error?.code,
    message: error?.rawMessage ?? "",
    fields: error?.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field),
  };
}

const binaryProtocols = protocols.filter((protocol) => protocol !== "connect-json");

describe.each(binaryProtocols)("a client of a newer contract over %s", (protocol) => {
  it("can send unknown fields, and unknown kinds in assistant messages, which are left out with a warning", async () => {
    const { completion } = await askNewer(protocol, {
      messages: [
        said("USER", textPart("a")),
        said("ASSISTANT", hologram, textPart("b"), hologram),
        said("ASSISTANT", hologram),
        said("USER", textPart("c")),
      ],
      parameters: { temperature: 1, [novelty.field]: "new" },
      tools: [{ function: { name: "f", [novelty.field]: "new" }, [novelty.field]: "new" }],
      [novelty.field]: "new",
    });
    expect(completion?.choices[0]?.message?.parts[0]?.kind).toEqual({ case: "text", value: "c" });
    expect(completion?.warnings).toMatchObject(
      ["messages[1].parts[0]", "messages[1].parts[2]", "messages[2].parts[0]"].map((field) => ({
        reason: "LEFT_OUT",
        field,
      })),
    );
  });

  const user = said("USER", textPart("a"));
  const tools = [{ function: { name: "f" } }];
  const call = said("ASSISTANT", { tool_call: { id: "1", name: "f" } });
  it.each<[string, JsonObject]>([
    ["chat.messages[0].parts[1].kind", { messages: [said("USER", textPart("a"), hologram)] }],
    [
      "chat.messages[0].parts[0].media.source",
      { messages: [said("USER", { media: { [`${novelty.case}_source`]: "x" } })] },
    ],
    [
      "chat.messages[2].parts[0].tool_result.parts[0].kind",
      { messages: [user, call, said("TOOL", { tool_result: { tool_call_id: "1", parts: [hologram] } })] },
    ],
    ["chat.tools[0].kind", { messages: [user], tools: [hologram] }],
    ["chat.tool_choice.choice", { messages: [user], tools, tool_choice: { [`${novelty.case}_choice`]: "x" } }],
  ])("is told the path of an unknown case that the request needs: %s", async (field, chat) => {
    expect(await failureOf(askNewer(protocol, chat))).toMatchObject({ code: Code.InvalidArgument, fields: [field] });
  });

  const enums: readonly (readonly [string, JsonObject])[] = [
    ["chat.messages[0].role", { messages: [{ ...user, role: novelty.enumValue }] }],
    [
      "chat.messages[0].parts[0].media.detail",
      { messages: [said("USER", { media: { url: "https://a.example", detail: novelty.enumValue } })] },
    ],
    ["chat.tool_choice.mode", { messages: [user], tools, tool_choice: { mode: novelty.enumValue } }],
    [
      "chat.tool_choice.allowed_tools.mode",
      { messages: [user], tools, tool_choice: { allowed_tools: { mode: novelty.enumValue, tool_names: ["f"] } } },
    ],
    ["chat.output_format.on_invalid", { messages: [user], output_format: { text: {}, on_invalid: novelty.enumValue } }],
    ["chat.reasoning.effort", { messages: [user], reasoning: { effort: novelty.enumValue } }],
    ["chat.reasoning.format", { messages: [user], reasoning: { format: novelty.enumValue } }],
    ["chat.profile", { messages: [user], profile: novelty.enumValue }],
    ["chat.response_modalities[0]", { messages: [user], response_modalities: [novelty.enumValue] }],
  ];

  it.each(enums)("is told the path of an unknown enum value: %s", async (field, chat) => {
    expect(await failureOf(askNewer(protocol, chat))).toMatchObject({ code: Code.InvalidArgument, fields: [field] });
  });

  it("has such a case for each enum field of the request", () => {
    const listed = enums.map(([field]) => field.replaceAll(/\[\d\]/g, ""));
    expect(listed.sort()).toEqual(enumFields("ChatRequest", "chat").sort());
  });
});

/** Returns the paths of the enum fields in a message and its fields, without google.protobuf's. */
function enumFields(name: string, path: string, seen = new Set<string>()): string[] {
  const message = messageOf(newer, name);
  return message.fields.flatMap((field) => {
    const at = `${path}.${field.name}`;
    if (field.enum !== undefined) return [at];
    const inner = field.message?.typeName.match(/^dragoman\.v1\.(\w+)$/)?.[1];
    if (inner === undefined || seen.has(inner)) return [];
    return enumFields(inner, at, seen.add(inner));
  });
}

describe("a client of a newer contract over connect-json", () => {
  it.each<[string, JsonObject]>([
    [novelty.field, { messages: [said("USER", { text: "a" })] }],
    [`${novelty.case}_kind`, { messages: [{ role: "ROLE_ASSISTANT", parts: [hologram] }] }],
    ["chat.messages[0].role", { messages: [{ role: `ROLE_${novelty.enumName}`, parts: [{ text: "a" }] }] }],
  ])("is told the place of what is unknown: %s", async (place, chat) => {
    const { code, message } = await failureOf(askNewer("connect-json", chat));
    expect(code).toBe(Code.InvalidArgument);
    expect(message).toContain(place);
  });
});
