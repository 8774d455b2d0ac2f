import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { lookupAccount } from "../../accounts/keys.ts";
import type { Call } from "../../calls/call.ts";
import { describeModels } from "../../calls/describe-model.ts";
import { getModel, listModels } from "../../calls/list-models.ts";
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
      answerCall(context, async (call) => {
        await requireValid(ListModelsRequestSchema, request);
        const { provider, pageSize, pageToken, profile } = request;
        const listed = await listModels(call, accountOf(call), provider || undefined);
        const { models, nextPageToken } = paginate(listed, pageSize, pageToken);
        const described = await describeModels(models, profile, call);
        return create(ListModelsResponseSchema, { models: [...described], nextPageToken });
      }),

    getModel: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(GetModelRequestSchema, request);
        const found = await getModel(call, accountOf(call), request.id);
        const [model] = await describeModels([found], request.profile, call);
        return create(GetModelResponseSchema, model ? { model } : {});
      }),
  };
}

function accountOf({ caller, source }: Call): string {
  return lookupAccount(caller, source.requestHeader.get("x-selected-account-id"));
}
