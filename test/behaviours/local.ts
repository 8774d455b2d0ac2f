import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { localFile, missingLocal, startLocalService } from "../support/local.ts";
import { ask } from "../support/requests.ts";

export { missingLocal };

/** Sends a question to a real model over gRPC and returns the text of the response. */
type AskLocal = (question: string, parameters: MessageInitShape<typeof GenerationParametersSchema>) => Promise<string>;

/** Starts a service with this machine's local model, until the test ends. */
export async function startLocal(): Promise<AskLocal> {
  const service = await startLocalService();
  onTestFinished(() => service.stop());
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  return async (question, parameters) => {
    const { completion } = await client.completeChat({
      chat: ask(`local/${localFile()?.name}`, question, { parameters }),
    });
    return textOf(completion);
  };
}

function textOf(completion: ChatCompletion | undefined): string {
  const parts = completion?.choices[0]?.message?.parts ?? [];
  return parts.map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}
