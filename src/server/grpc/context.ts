import type { IncomingHttpHeaders } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { setAdmittedCall } from "../services/admitted-call.ts";
import { pathOf } from "../services/mounted-service.ts";
import type { GrpcCall } from "./access.ts";

/** Connect handler context for a method that runs on grpc-js. Methods read the authenticated call from `values`. */
export class GrpcContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescMethod["parent"];
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly values: ContextValues = createContextValues();
  readonly #admitted: GrpcCall;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(method: DescMethod, admitted: GrpcCall) {
    this.method = method;
    this.service = method.parent;
    this.#admitted = admitted;
    setAdmittedCall(this, admitted);
  }

  get signal(): AbortSignal {
    return this.#admitted.call.signal;
  }

  /** Created at the first use: Dragoman's own methods read `Call.source`, which copies nothing. */
  get requestHeader(): Headers {
    this.#requestHeader ??= toHeaders(this.#admitted.headers);
    return this.#requestHeader;
  }

  readonly timeoutMs = (): number | undefined => this.#admitted.call.source.timeoutMs();

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  /** Headers that the method set, beside those of the call. Undefined: none. */
  get setHeaders(): Headers | undefined {
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** Trailers that the method set. Undefined: none. */
  get setTrailers(): Headers | undefined {
    return this.#responseTrailer;
  }

  get url(): string {
    return `http://localhost${pathOf(this.method)}`;
  }
}

function toHeaders(sent: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(sent)) {
    if (name.startsWith(":")) continue;
    for (const value of [values].flat()) if (value !== undefined) headers.append(name, value);
  }
  return headers;
}
