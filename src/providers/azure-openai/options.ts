import { z } from "zod";
import { baseUrl, choice, section, text } from "../../config/rules.ts";
import { apiOption } from "../openai-responses/api-option.ts";

export const optionsSchema = section({
  /** API version. With a dated version, the URL contains the deployment. Default: none, for the v1 API. */
  api_version: text.optional(),
  /** Kind of `api_key`: a resource key, a Microsoft Entra ID token, or the secret of an Entra ID application. */
  key_type: choice("api-key", "entra-token", "entra-secret").prefault("api-key"),
  /** Tenant and client id of the Entra ID application. Required with `entra-secret`. */
  tenant_id: text.optional(),
  client_id: text.optional(),
  /** Base URL of Entra ID's token endpoint. Default: that of the public cloud. */
  authority: baseUrl.prefault("https://login.microsoftonline.com"),
  /**
   * OpenAI's model name for each deployment. Dragoman then applies OpenAI's rules for that model, which it cannot
   * derive from the deployment's name. Default: none, so that OpenAI's model rules do not apply.
   */
  models: z.record(z.string(), text).prefault({}),
  /** API that serves chat requests. `auto`: Chat Completions, and Responses for what only it can do. */
  api: apiOption.prefault("auto"),
});

export type Options = z.output<typeof optionsSchema>;
