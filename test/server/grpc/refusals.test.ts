import { toBinary } from "@bufbuild/protobuf";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { listenGrpc } from "../../../src/server/grpc/listener.ts";
import type { Services } from "../../../src/server/listener.ts";
import { callRaw, frame } from "../raw-calls.ts";

const config = loadConfig({ environment: { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0" }, declarations: [] });

/** A method that says which call it has and then does this. */
const after = (answer: () => unknown) => (_: unknown, context: HandlerContext) => {
  context.responseHeader.set("x-request-id", "call-1");
  return answer();
};

/** Methods that do what those of the service never do, so that grpc-js has to end the call. */
const faults = {
  "does not end with its deadline": {
    method: after(() => new Promise(() => {})),
    code: Code.DeadlineExceeded,
    reason: "DEADLINE_EXCEEDED",
  },
  "answers with what cannot be encoded": {
    method: after(() => ({ $typeName: "dragoman.v1.CompleteChatResponse", completion: 1 })),
    code: Code.Internal,
    reason: "INTERNAL",
  },
};

it.each(Object.entries(faults))("a method that %s: an ErrorInfo, and the record stays its own", async (_, fault) => {
  let refused = 0;
  const services = {
    chat: { completeChat: fault.method, streamChat: fault.method, planChat: fault.method },
    models: { listModels: fault.method, getModel: fault.method },
    gate: () => {},
    refuse: () => {
      refused++;
      throw new Error("the call has reached its method");
    },
    // The methods do not keep to their types: that is their fault.
  } as unknown as Services;
  const listener = await listenGrpc(config, services);
  const { host, port } = listener.address;
  const ending = await callRaw(
    "grpc",
    { grpcAddress: `${host}:${port}`, httpAddress: "" },
    {
      path: "/dragoman.v1.ChatService/CompleteChat",
      body: frame(toBinary(CompleteChatRequestSchema, { $typeName: "dragoman.v1.CompleteChatRequest" })),
      headers: { "grpc-timeout": "100m" },
    },
  );
  await listener.close();
  expect(ending).toMatchObject({ code: fault.code, info: { reason: fault.reason, domain: "dragoman" } });
  expect(ending.info?.metadata.request_id).toBe("call-1");
  expect(refused).toBe(0);
});
