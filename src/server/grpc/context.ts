import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Deadline, Metadata } from "@grpc/grpc-js";

/** What every kind of server call of grpc-js has. */
export interface GrpcCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getDeadline(): Deadline;
  getPath(): string;
  on(event: "cancelled", listener: () => void): unknown;
}

/** Made once: an abort without a reason makes an exception with a stack for each call. */
const cancelled = new ConnectError("the caller cancelled the call", Code.Canceled);

/**
 * Connect's context for a call that came through grpc-js. Headers are copied only when somebody asks for them: most
 * calls look at two.
 */
export class GrpcContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescMethod["parent"];
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly signal: AbortSignal;
  readonly responseHeader = new Headers();
  readonly #call: GrpcCall;
  readonly #controller = new AbortController();
  #answered = false;
  #requestHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, call: GrpcCall) {
    this.method = method;
    this.service = method.parent;
    this.#call = call;
    this.signal = this.#controller.signal;
    const abort = (): void => {
      if (!this.#answered) this.#controller.abort(cancelled);
    };
    if (call.cancelled) abort();
    else call.on("cancelled", abort);
  }

  /** The handler is done: from now on the call cannot be cancelled. grpc-js says `cancelled` after every call. */
  finish(): void {
    this.#answered = true;
  }

  readonly timeoutMs = (): number | undefined => {
    const deadline = Number(this.#call.getDeadline());
    return Number.isFinite(deadline) ? deadline - Date.now() : undefined;
  };

  get requestHeader(): Headers {
    if (this.#requestHeader === undefined) {
      this.#requestHeader = new Headers();
      for (const [name, value] of Object.entries(this.#call.metadata.getMap())) {
        this.#requestHeader.set(name, Buffer.isBuffer(value) ? value.toString("base64") : value);
      }
    }
    return this.#requestHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get url(): string {
    return `http://localhost${this.#call.getPath()}`;
  }

  get values(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }
}
