import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { type EmbedRequest, EmbedRequestSchema } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";

type Init = Exclude<MessageInitShape<typeof EmbedRequestSchema>, EmbedRequest>;

/** Makes a request to embed texts, or lists of token ids. */
export function embedRequest(model: string, inputs: readonly (string | readonly number[])[], more: Init = {}) {
  return create(EmbedRequestSchema, {
    model,
    inputs: inputs.map((input) =>
      typeof input === "string"
        ? { kind: { case: "text" as const, value: input } }
        : { kind: { case: "tokenIds" as const, value: { ids: [...input] } } },
    ),
    ...more,
  });
}

/** Returns the reason and the text of a call that fails. */
export async function failureOf(call: Promise<unknown>): Promise<readonly [reason: string, message: string]> {
  try {
    await call;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return [error.findDetails(ErrorInfoSchema)[0]?.reason ?? "", error.rawMessage];
  }
  throw new Error("the call did not fail");
}

/** Returns the cosine of the angle between two vectors. */
export function cosine(one: readonly number[] = [], other: readonly number[] = []): number {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}
