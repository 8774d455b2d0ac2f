import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { unknownMethod } from "../../calls/call-method.ts";
import type { Config } from "../../config/config.ts";
import { httpApis } from "../../surfaces/index.ts";
import { discardRest } from "../../surfaces/kit/body.ts";
import { sourceOf } from "../../surfaces/kit/http-source.ts";
import { createMisses, type Place } from "../../surfaces/kit/misses.ts";
import { requestPath } from "../../surfaces/kit/request-path.ts";
import { sendError } from "../../surfaces/kit/send.ts";
import type { Services } from "../listener.ts";
import { frontPath } from "./front-page.ts";
import { healthPaths } from "./health-pages.ts";
import { metricsPath } from "./metrics-page.ts";

/** Creates the listener for requests that nothing serves. It sends an error in the shape of the API that was meant. */
export function createUnservedHandler({ limits }: Config, { calls, metricsPage }: Services): RequestListener {
  const paths = [frontPath, ...healthPaths, ...(metricsPage ? [metricsPath] : [])];
  const missOf = createMisses(
    httpApis,
    paths.map((path): Place => ({ method: "GET", path })),
  );
  return (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", headers } = request;
    const { name, isCall, error, toError } = missOf({ method, path: requestPath(request), headers });
    if (isCall)
      calls.reject(sourceOf(request, response), name === "" ? unknownMethod : { name, mayCost: false }, error);
    sendError(response, error, toError(error, ""));
    if (!request.complete) discardRest(request, limits.maxRequestBytes);
  };
}
