// The client of all examples. In a project of your own, generate the code as clients/typescript does.

import { readFileSync } from "node:fs";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type Message, Role } from "../../src/gen/dragoman/v1/message_pb.js";

const { DRAGOMAN_ADDRESS = "127.0.0.1:50051", DRAGOMAN_API_KEY = "", DRAGOMAN_CA = "" } = process.env;

const sendKey: Interceptor = (next) => (request) => {
  if (DRAGOMAN_API_KEY !== "") request.header.set("x-api-key", DRAGOMAN_API_KEY);
  return next(request);
};

const hasTls = DRAGOMAN_CA !== "";
const transport = createGrpcTransport({
  baseUrl: `${hasTls ? "https" : "http"}://${DRAGOMAN_ADDRESS}`,
  interceptors: [sendKey],
  nodeOptions: hasTls ? { ca: readFileSync(DRAGOMAN_CA) } : {},
});

export const client = createClient(ChatService, transport);

/** Returns a message of the user. */
export function user(text: string) {
  return { role: Role.USER, parts: [{ kind: { case: "text" as const, value: text } }] };
}

/** Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add. */
export function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}
