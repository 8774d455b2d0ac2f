import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../../chat/stream/events.ts";
import type { GatewayError } from "../../errors.ts";
import type { ChatCompleted, ChatStarted, ChoiceFinished } from "../../gen/dragoman/v1/stream_pb.js";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import { toServiceTier } from "../openai-shape/service-tier.ts";
import { toFailure } from "./errors.ts";
import { ResponseOutput } from "./output.ts";
import { baseOf, completedAt, endOf, metadataOf, type ResponseContext, toResponseObject, toUsage } from "./response.ts";
import type { OutputEvent, ResponseEvent, ResponseFacts } from "./wire.ts";

/** Translator of one stream to the events of the Responses API, which are numbered from 0. */
export class ResponseStream {
  readonly #context: ResponseContext;
  #pending: (OutputEvent | ResponseEvent)[] = [];
  #number = 0;
  #createdMs = Date.now();
  #facts: ResponseFacts = {
    id: "",
    created_at: 0,
    completed_at: null,
    status: "in_progress",
    incomplete_details: null,
    error: null,
    model: "",
    output: [],
    usage: null,
    service_tier: null,
  };
  #output: ResponseOutput | undefined;
  #choiceMetadata = "";
  #hasOutput = false;

  constructor(context: ResponseContext) {
    this.#context = context;
    this.#facts = { ...this.#facts, service_tier: toServiceTier(context.serviceTier) ?? null };
  }

  translate(event: ChatEvent): readonly ServerSentEvent[] {
    switch (event.case) {
      case "started":
        this.#start(event.value);
        return this.#take();
      case "delta":
        this.#output?.add(event.value);
        break;
      case "finished":
        this.#finish(event.value);
        break;
      case "completed":
        this.#complete(event.value);
        break;
      default:
        event satisfies never;
    }
    const events = this.#take();
    this.#hasOutput ||= events.length > 0;
    return events;
  }

  /** Returns the last events of a stream that fails. Repeats the first ones if the client has not received them. */
  fail(error: GatewayError, requestId: string): readonly ServerSentEvent[] {
    this.#pending = [];
    if (!this.#hasOutput) {
      // The call has sent its headers, but no event.
      this.#number = 0;
      if (this.#facts.id === "") this.#identify(requestId, this.#createdMs);
      this.#announce();
    }
    const output = this.#hasOutput ? (this.#output?.items ?? []) : [];
    this.#facts = { ...this.#facts, status: "failed", output, error: toFailure(error, requestId) };
    this.#send("response.failed");
    return this.#take();
  }

  #start({ id, model, createTime }: ChatStarted): void {
    this.#identify(id, createTime ? timestampMs(createTime) : this.#createdMs);
    this.#facts = { ...this.#facts, model };
    this.#announce();
  }

  #identify(callId: string, createdMs: number): void {
    const base = baseOf(callId);
    this.#createdMs = createdMs;
    this.#facts = { ...this.#facts, id: `resp_${base}`, created_at: Math.floor(createdMs / 1000) };
    this.#output = new ResponseOutput(base, this.#context.toolNames, (event) => this.#pending.push(event));
  }

  #announce(): void {
    this.#send("response.created");
    this.#send("response.in_progress");
  }

  #finish(finished: ChoiceFinished): void {
    const end = endOf(finished.finishReason, this.#output?.isRefused ?? false);
    this.#output?.finish(finished, end.status === "incomplete");
    this.#choiceMetadata = finished.providerMetadataJson;
    this.#facts = { ...this.#facts, ...end };
  }

  #complete({ usage, serviceTier, timeInfo, providerMetadataJson }: ChatCompleted): void {
    const { status } = this.#facts;
    this.#facts = {
      ...this.#facts,
      completed_at: completedAt(this.#createdMs, timeInfo?.totalDuration, status),
      output: this.#output?.items ?? [],
      usage: usage ? toUsage(usage) : null,
      service_tier: toServiceTier(serviceTier) ?? this.#facts.service_tier,
      ...metadataOf(providerMetadataJson, this.#choiceMetadata),
    };
    this.#send(status === "incomplete" ? "response.incomplete" : "response.completed");
  }

  #send(type: ResponseEvent["type"]): void {
    this.#pending.push({ type, response: toResponseObject(this.#facts, this.#context.echo) });
  }

  #take(): readonly ServerSentEvent[] {
    const events = this.#pending;
    this.#pending = [];
    return events.map((event) => ({
      event: event.type,
      data: { ...event, sequence_number: this.#number++ },
    }));
  }
}
