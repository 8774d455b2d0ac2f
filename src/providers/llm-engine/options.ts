import type { z } from "zod";
import { choice, section, wholeNumber } from "../../config/rules.ts";
import { templateChoices } from "../../templates/template-families.ts";

export const optionsSchema = section({
  /** `v2`: OpenAI-compatible chat completions. `v1`: text completions of a prompt that Dragoman renders. Default v2. */
  api: choice("v2", "v1").prefault("v2"),
  /** How to send the API key: as a bearer token, or as the user name of basic authentication. Default bearer. */
  auth: choice("bearer", "basic").prefault("bearer"),
  /**
   * Template family (prompt format). It selects the stock template for v1 and the variables for callers' templates.
   * `none`: the models support only text completion. Default: the model's `template_family`, else derived from the
   * endpoint's name.
   */
  template: choice(...templateChoices).optional(),
  /**
   * Timeout for the first event in ms, instead of `timeouts.first_event`. An unused endpoint may have no running
   * machine, so the next call waits until one has started. 0 disables the timeout. Default 600,000.
   */
  cold_start_ms: wholeNumber(0).prefault(600_000),
});

export type Options = z.output<typeof optionsSchema>;
