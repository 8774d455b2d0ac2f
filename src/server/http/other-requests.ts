import type { RequestListener } from "node:http";
import type { Config } from "../../config/config.ts";
import { createSurfaces } from "../../surfaces/index.ts";
import type { Listener, Services } from "../listener.ts";
import { createFrontPage, isFrontPage } from "./front-page.ts";
import { createUnservedHandler } from "./unserved.ts";

/** Answers a request with a call, or returns false. */
export type AnswerCall = (...request: Parameters<RequestListener>) => boolean;

/**
 * Creates the listener for all requests that are not for a method of Dragoman: those of other HTTP APIs, of the front
 * page, and those that nothing serves.
 *
 * @param answerCall answers unknown methods
 */
export function createOtherHandler(
  config: Config,
  services: Services,
  grpcAddress: Listener["address"],
  answerCall: AnswerCall,
): RequestListener {
  const answerFrontPage = createFrontPage(config, services, grpcAddress);
  const answerSurface = createSurfaces({
    calls: services.calls,
    maxRequestBytes: config.limits.maxRequestBytes,
    streamHeadersAfterMs: config.http.streamHeadersAfterMs,
  });
  const answerUnserved = createUnservedHandler(config, services);
  return (request, response) => {
    if (isFrontPage(request)) answerFrontPage(request, response);
    else if (!answerSurface(request, response) && !answerCall(request, response)) answerUnserved(request, response);
  };
}
