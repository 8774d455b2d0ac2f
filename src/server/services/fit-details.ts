import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import {
  CallInfoSchema,
  JsonGenerationFailureSchema,
  ProviderErrorSchema,
  ToolCallFailureSchema,
} from "../../gen/dragoman/v1/error_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { cutBytes, cutText } from "./cut-text.ts";

/** Schemas of the details of a status, in the order in which they are sent. */
const detailSchemas = {
  errorInfo: ErrorInfoSchema,
  badRequest: BadRequestSchema,
  retryInfo: RetryInfoSchema,
  quotaFailure: QuotaFailureSchema,
  providerError: ProviderErrorSchema,
  jsonFailure: JsonGenerationFailureSchema,
  toolCallFailure: ToolCallFailureSchema,
  callInfo: CallInfoSchema,
} as const satisfies Record<string, DescMessage>;

type Schemas = typeof detailSchemas;

/** Details of a status. */
export type Details = { readonly [Name in keyof Schemas]?: MessageShape<Schemas[Name]> };

/** Typed detail of a status. */
export interface StatusDetail {
  readonly desc: DescMessage;
  readonly value: MessageShape<DescMessage>;
}

/** Lists the details that are there, in the order in which they are sent. */
export function listDetails(details: Details): readonly StatusDetail[] {
  const names = Object.keys(detailSchemas) as (keyof Schemas)[];
  return names.flatMap((name) => {
    const value = details[name];
    return value === undefined ? [] : [{ desc: detailSchemas[name], value }];
  });
}

/** Maximum bytes of a text, if the details together are too large. */
const longestText = 256;

/**
 * Truncates details so that together they have at most `maxBytes` when encoded. Applies the cuts in their order, and
 * none that is not necessary.
 */
export function fitDetails(details: Details, maxBytes: number): Details {
  let fitting = details;
  for (const cut of cuts) {
    const excess = sizeOf(fitting) - maxBytes;
    if (excess <= 0) break;
    fitting = cut(fitting, excess);
  }
  return fitting;
}

/** Returns the bytes of the encoded details. */
export function sizeOf(details: Details): number {
  const packed: MessageShape<typeof AnySchema>[] = listDetails(details).map(({ desc, value }) => anyPack(desc, value));
  return toBinary(StatusSchema, create(StatusSchema, { details: packed })).length;
}

/** Removes at least `excess` bytes from the encoded details if it can. */
type Cut = (details: Details, excess: number) => Details;

/**
 * All cuts, in the order that the proto comment of ChatService documents. The last two only make the bound certain: the
 * facts that they cut are far smaller in every known error.
 */
const cuts: readonly Cut[] = [keepLastAttempt, cutGenerations, cutViolations, dropViolations, dropCallFacts, cutFacts];

function keepLastAttempt({ callInfo, ...others }: Details): Details {
  return callInfo === undefined
    ? others
    : { ...others, callInfo: { ...callInfo, attempts: callInfo.attempts.slice(-1) } };
}

function cutGenerations({ jsonFailure, toolCallFailure, ...others }: Details, excess: number): Details {
  return {
    ...others,
    ...(jsonFailure && { jsonFailure: cutGeneration(jsonFailure, excess) }),
    ...(toolCallFailure && { toolCallFailure: cutGeneration(toolCallFailure, excess) }),
  };
}

/** Bytes of the field `truncated`. */
const flagBytes = 2;

function cutGeneration<Failure extends { failedGeneration: string; truncated: boolean }>(
  failure: Failure,
  excess: number,
): Failure {
  const { failedGeneration } = failure;
  if (failedGeneration === "") return failure;
  const kept = cutBytes(failedGeneration, Buffer.byteLength(failedGeneration) - excess - flagBytes);
  return { ...failure, failedGeneration: kept, truncated: true };
}

function cutViolations({ badRequest, ...others }: Details): Details {
  if (badRequest === undefined) return others;
  const fieldViolations = badRequest.fieldViolations.map((violation) => ({
    ...violation,
    field: cutText(violation.field, longestText),
    description: cutText(violation.description, longestText),
  }));
  return { ...others, badRequest: { ...badRequest, fieldViolations } };
}

/** Drops the last violations. */
function dropViolations({ badRequest, ...others }: Details, excess: number): Details {
  if (badRequest === undefined) return others;
  const fieldViolations = [...badRequest.fieldViolations];
  const before = toBinary(BadRequestSchema, badRequest).length;
  const size = () => toBinary(BadRequestSchema, { ...badRequest, fieldViolations }).length;
  while (fieldViolations.length > 0 && before - size() < excess) fieldViolations.pop();
  return { ...others, badRequest: { ...badRequest, fieldViolations } };
}

function dropCallFacts({ callInfo, ...others }: Details): Details {
  if (callInfo === undefined) return others;
  return { ...others, callInfo: create(CallInfoSchema, { callId: callInfo.callId }) };
}

function cutFacts({ errorInfo, quotaFailure, providerError, ...others }: Details): Details {
  const short = (text: string) => cutText(text, longestText);
  const requestId = errorInfo?.metadata.request_id;
  return {
    ...others,
    ...(errorInfo && { errorInfo: { ...errorInfo, metadata: requestId ? { request_id: short(requestId) } : {} } }),
    ...(quotaFailure && {
      quotaFailure: {
        ...quotaFailure,
        violations: quotaFailure.violations.map(({ subject, description, ...rest }) => ({
          ...rest,
          subject: short(subject),
          description: short(description),
        })),
      },
    }),
    ...(providerError && {
      providerError: {
        ...providerError,
        provider: short(providerError.provider),
        providerModel: short(providerError.providerModel),
        code: short(providerError.code),
        requestId: short(providerError.requestId),
      },
    }),
  };
}
