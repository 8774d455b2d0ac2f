import type { DescMethod } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { type AdmittedCall, setAdmittedCall } from "../services/admitted-call.ts";

/** Connect handler context for a method that runs on grpc-js. Methods read the authenticated call from `values`. */
export class GrpcContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescMethod["parent"];
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly responseHeader = new Headers();
  readonly values: ContextValues = createContextValues();
  readonly #admitted: AdmittedCall;
  #responseTrailer: Headers | undefined;

  constructor(method: DescMethod, admitted: AdmittedCall) {
    this.method = method;
    this.service = method.parent;
    this.#admitted = admitted;
    this.responseHeader.set("x-request-id", admitted.call.requestId);
    setAdmittedCall(this, admitted);
  }

  get signal(): AbortSignal {
    return this.#admitted.call.signal;
  }

  /** Not implemented: methods read request headers from `Call.source`. */
  get requestHeader(): Headers {
    throw new Error("not available over gRPC: read the request headers from Call.source");
  }

  readonly timeoutMs = (): number | undefined => this.#admitted.call.source.timeoutMs();

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get url(): string {
    return `http://localhost/${this.service.typeName}/${this.method.name}`;
  }
}
