import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Part, PartSchema } from "../../../src/gen/dragoman/v1/message_pb.js";
import type { Translated } from "../../../src/surfaces/kit/surface.ts";
import { responsesSurface } from "../../../src/surfaces/responses/surface.ts";
import { noModels } from "../harness.ts";

/** Translates a body of the Responses API. */
export function translate(body: object): Translated {
  const value: unknown = JSON.parse(JSON.stringify({ model: "m", ...body }));
  return responsesSurface.translate(value, { parameters: {}, headers: { get: () => null }, catalog: noModels });
}

/** Returns the request for a list of items. */
export function requestOf(input: unknown, more: object = {}): ChatRequest {
  return translate({ input, ...more }).chat;
}

/** Part without the fields that are unset. */
export function part(init: Parameters<typeof create<typeof PartSchema>>[1]): Part {
  return create(PartSchema, init);
}
