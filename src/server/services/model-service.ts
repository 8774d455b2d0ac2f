import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type Caller, lookupAccount } from "../../accounts/keys.ts";
import { requireValid } from "../../chat/validation/annotations.ts";
import {
  type GetModelRequest,
  GetModelRequestSchema,
  GetModelResponseSchema,
  type ListModelsRequest,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
  type ModelService,
} from "../../gen/dragoman/v1/model_service_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { paginate } from "../../models/paginate.ts";
import { lookup } from "./gateway.ts";

/** ModelService, the same for both listeners. */
export function createModelService(catalog: Catalog): ServiceImpl<typeof ModelService> {
  return {
    listModels: lookup((request: ListModelsRequest, context, caller) => {
      requireValid(ListModelsRequestSchema, request);
      const { provider, pageSize, pageToken } = request;
      const listed = catalog.list(provider || undefined, accountOf(context, caller));
      const { models, nextPageToken } = paginate(listed, pageSize, pageToken);
      return create(ListModelsResponseSchema, { models: [...models], nextPageToken });
    }),
    getModel: lookup((request: GetModelRequest, context, caller) => {
      requireValid(GetModelRequestSchema, request);
      return create(GetModelResponseSchema, { model: catalog.resolve(request.id, accountOf(context, caller)) });
    }),
  };
}

function accountOf({ requestHeader }: HandlerContext, caller: Caller): string {
  return lookupAccount(caller, requestHeader.get("x-selected-account-id"));
}
