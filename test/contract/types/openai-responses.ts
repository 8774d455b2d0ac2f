// Compile-time check: responses and events of the Responses API must match the types of the vendor's SDK (openai
// 7.55.0), so that its clients can read every one of them.
import type OpenAI from "openai";
import type {
  OutputEvent,
  OutputItem,
  ResponseEvent,
  ResponseFacts,
  ResponseStatus,
} from "../../../src/surfaces/responses/wire.ts";
import type { Assignable, Mutable } from "./assignable.ts";

type Vendor = OpenAI.Responses.ResponseStreamEvent;

/** OpenAI's wire has null where the SDK declares an absent field. */
type Facts = Omit<ResponseFacts, "usage" | "error" | "service_tier">;

export const items: Assignable<Mutable<OutputItem>, OpenAI.Responses.ResponseOutputItem> = true;
export const events: Assignable<Mutable<OutputEvent> & { sequence_number: number }, Vendor> = true;
export const types: Assignable<ResponseEvent["type"], Vendor["type"]> = true;
export const facts: Assignable<Mutable<Facts>, Partial<OpenAI.Responses.Response>> = true;
export const usage: Assignable<Mutable<NonNullable<ResponseFacts["usage"]>>, OpenAI.Responses.ResponseUsage> = true;
export const statuses: Assignable<ResponseStatus, OpenAI.Responses.ResponseStatus> = true;
