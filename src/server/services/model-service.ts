import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { lookupAccount } from "../../accounts/keys.ts";
import type { Call } from "../../calls/call.ts";
import { requireValid } from "../../chat/validation/annotations.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
  type ModelService,
} from "../../gen/dragoman/v1/model_service_pb.js";
import { paginate } from "../../models/paginate.ts";
import { answerCall } from "./admitted-call.ts";

/** Creates ModelService for both listeners. */
export function createModelService(): ServiceImpl<typeof ModelService> {
  return {
    listModels: (request, context) =>
      answerCall(context, (call) => {
        requireValid(ListModelsRequestSchema, request);
        const { provider, pageSize, pageToken } = request;
        const listed = call.snapshot.catalog.list(provider || undefined, accountOf(call));
        const { models, nextPageToken } = paginate(listed, pageSize, pageToken);
        return create(ListModelsResponseSchema, { models: [...models], nextPageToken });
      }),

    getModel: (request, context) =>
      answerCall(context, (call) => {
        requireValid(GetModelRequestSchema, request);
        const model = call.snapshot.catalog.resolve(request.id, accountOf(call));
        return create(GetModelResponseSchema, { model });
      }),
  };
}

function accountOf({ caller, source }: Call): string {
  return lookupAccount(caller, source.requestHeader.get("x-selected-account-id"));
}
