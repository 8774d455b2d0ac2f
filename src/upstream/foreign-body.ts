import type { GatewayError } from "../errors.ts";
import { declaresJson } from "./body-form.ts";
import { callFailure, malformedAnswer, unusableAnswer } from "./errors.ts";
import type { UpstreamResponse } from "./response.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/**
 * Waits for the first bytes of a successful response. Throws if they show that it does not come from a provider API.
 */
export async function beginBody(response: UpstreamResponse, call: UpstreamCall): Promise<void> {
  await response.begin();
  const { form } = response;
  switch (form) {
    case "json":
    case "lines":
    case "events":
    case "other":
      return;
    case "html":
    case "xml":
      throw unusableAnswer(call, `it is ${form === "html" ? "an HTML page" : "an XML document"}: is base_url right?`);
    case "utf16":
      throw unusableAnswer(call, "its charset is UTF-16 and not UTF-8");
    case "empty":
      // An empty stream may be cut. An empty body of another type is whole.
      if (declaresJson(response.contentType)) throw malformedAnswer(call, "it is empty");
      throw callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's response is empty: try again", call);
    default:
      form satisfies never;
  }
}

export function isRedirect({ status }: UpstreamResponse): boolean {
  return status >= 300 && status < 400;
}

/** Creates the error for a redirect. Dragoman follows none, because the credentials are for one host. */
export function redirection(response: UpstreamResponse, call: UpstreamCall): GatewayError {
  const { status } = response;
  const location = response.header("location");
  const host = location === undefined ? undefined : URL.parse(location, "relative://relative")?.host;
  const target = host === undefined ? "" : host === "relative" ? " to another path" : ` to ${host}`;
  return callFailure("PROVIDER_FAULT", `the provider redirects${target} (HTTP ${status}): is base_url right?`, call);
}
