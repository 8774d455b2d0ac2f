import { reflect } from "@bufbuild/protobuf/reflect";
import { type ModelCapabilities, ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../gen/dragoman/v1/reasoning_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId } from "../models/find-model.ts";
import { profileName } from "../profiles/select-profile.ts";

/** Describes the section `models`, each entry with all resolved facts. */
export function describeModels(models: readonly ConfiguredModel[]) {
  const entries = models.filter(({ model }) => deploymentId(model.id) === undefined);
  return Object.fromEntries(
    entries.map((configured) => {
      const { id, provider, providerModel, aliases } = configured.model;
      return [id, { provider, provider_model: providerModel, aliases, ...describeFacts(configured) }];
    }),
  );
}

/** Describes the section `deployments`, each entry with all resolved facts. */
export function describeDeployments(models: readonly ConfiguredModel[]) {
  return Object.fromEntries(
    models.flatMap((configured) => {
      const id = deploymentId(configured.model.id);
      if (id === undefined) return [];
      const { model, account, completionOnly } = configured;
      const described = {
        model: `${model.provider}/${model.providerModel}`,
        account: account || undefined,
        completion_only: completionOnly,
        ...describeFacts(configured),
      };
      return [[id, described]];
    }),
  );
}

/** Describes the facts of a model. Unknown facts are omitted. */
function describeFacts({ model, parameters, unsupported }: ConfiguredModel) {
  const { reasoningEfforts: efforts, supportedParameters: supported } = model;
  return {
    display_name: model.displayName,
    profile: profileName(model.profile),
    context_window: model.contextWindowTokens || undefined,
    max_output_tokens: model.maxOutputTokens || undefined,
    max_temperature: model.maxTemperature,
    family: model.family || undefined,
    template_family: model.templateFamily || undefined,
    capabilities: model.capabilities && describeCapabilities(model.capabilities),
    reasoning_efforts: efforts.length > 0 ? efforts.map((effort) => ReasoningEffort[effort]?.toLowerCase()) : undefined,
    supported_parameters: supported.length > 0 ? supported : undefined,
    unsupported_parameters: unsupported,
    parameters: parameters.length > 0 ? parameters.map(describeParameter) : undefined,
  };
}

function describeParameter({ description, ...parameter }: ConfiguredModel["parameters"][number]) {
  return { ...parameter, description: description || undefined };
}

function describeCapabilities(capabilities: ModelCapabilities) {
  const reflected = reflect(ModelCapabilitiesSchema, capabilities);
  return Object.fromEntries(ModelCapabilitiesSchema.fields.map((field) => [field.name, reflected.get(field)]));
}
