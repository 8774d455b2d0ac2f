import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { requireValid } from "../chat/validate.ts";
import {
  type GetModelRequest,
  GetModelRequestSchema,
  GetModelResponseSchema,
  type ListModelsRequest,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
  type ModelService,
} from "../gen/dragoman/v1/model_service_pb.js";
import type { Catalogue } from "../models/catalogue.ts";
import { paginate } from "../models/paginate.ts";
import { lookup } from "./gateway.ts";

/** ModelService, the same for both listeners. */
export function createModelService(catalogue: Catalogue): ServiceImpl<typeof ModelService> {
  return {
    listModels: lookup((request: ListModelsRequest) => {
      requireValid(ListModelsRequestSchema, request);
      const { provider, pageSize, pageToken } = request;
      const { models, nextPageToken } = paginate(catalogue.list(provider || undefined), pageSize, pageToken);
      return create(ListModelsResponseSchema, { models: [...models], nextPageToken });
    }),
    getModel: lookup((request: GetModelRequest) => {
      requireValid(GetModelRequestSchema, request);
      return create(GetModelResponseSchema, { model: catalogue.resolve(request.id) });
    }),
  };
}
