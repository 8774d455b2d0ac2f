import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { MediaDetail } from "../../src/gen/dragoman/v1/media_pb.js";
import { type PartSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { fieldOf } from "./run.ts";

type Part = Exclude<MessageInitShape<typeof PartSchema>, { $typeName: string }>;

/** A small detail of a message that an adapter could drop by mistake. */
interface MessageDetail {
  readonly name: string;
  readonly request: (model: string) => ChatRequest;
  /** Field path of the detail. An adaptation at this path or below it counts as reported. */
  readonly path: string;
  /** Matches the upstream request body if the adapter sends the detail. */
  readonly trace: RegExp;
}

const text = (value: string): Part => ({ kind: { case: "text", value } });
const image: Part = {
  kind: {
    case: "media",
    value: { source: { case: "data", value: Uint8Array.of(1) }, mediaType: "image/png", detail: MediaDetail.HIGH },
  },
};
const document: Part = {
  kind: {
    case: "media",
    value: {
      source: { case: "data", value: Uint8Array.of(1) },
      mediaType: "application/pdf",
      filename: "unlikely-name.pdf",
    },
  },
};

const conversation =
  (...messages: readonly { readonly role: Role; readonly name?: string; readonly parts: Part[] }[]) =>
  (model: string) =>
    create(ChatRequestSchema, { model, messages: [...messages] });

const turn = (part: Part, name = "") => ({ role: Role.USER, name, parts: [part] });

const details: readonly MessageDetail[] = [
  {
    name: "the name of a message",
    request: conversation(turn(text("hello"), "ann-who-asks")),
    path: "messages[0].name",
    trace: /ann-who-asks/,
  },
  {
    name: "a cache hint",
    request: conversation(turn({ ...text("hello"), cacheHint: {} })),
    path: "messages[0].parts[0].cache_hint",
    trace: /cache_?(control|point)/i,
  },
  {
    name: "the detail level of an image",
    request: conversation(turn(image)),
    path: "messages[0].parts[0]",
    trace: /"detail":"high"/,
  },
  {
    name: "the filename of a document",
    request: conversation(turn(document)),
    path: "messages[0].parts[0]",
    trace: /unlikely-name/,
  },
  {
    name: "the reasoning of another model",
    request: conversation(
      turn(text("hello")),
      {
        role: Role.ASSISTANT,
        parts: [{ kind: { case: "reasoning", value: { text: "an idle thought" } } }, text("hi")],
      },
      turn(text("go on")),
    ),
    path: "messages[1].parts[0].reasoning",
    trace: /an idle thought/,
  },
];

const named = dialects.map((dialect) => ({ ...dialect, title: titleOf(dialect) }));

describe.each(named)("the $title API", ({ create: make, model }) => {
  it.each(details)("sends $name or reports an adaptation", ({ request, path, trace }) => {
    const chat = request(model.id);
    const adapter = make("http://127.0.0.1:9");
    const isReported = adapter.checkSupport(chat, model).some((adaptation) => fieldOf(adaptation).startsWith(path));
    expect(isReported || trace.test(JSON.stringify(adapter.describe(chat, model)))).toBe(true);
  });
});
