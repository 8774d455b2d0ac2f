// JSON of OpenAI's Responses API, as Dragoman sends it. test/contract/types/openai-responses.ts compares these types
// with those of the openai SDK.

/** Log probability of a token, with the most likely alternatives. */
export interface TokenLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
  readonly top_logprobs: readonly Omit<TokenLogprob, "top_logprobs">[];
}

/** Source of a text. Positions are in characters. */
export type Annotation =
  | {
      readonly type: "url_citation";
      readonly url: string;
      readonly title: string;
      readonly start_index: number;
      readonly end_index: number;
    }
  | { readonly type: "file_citation"; readonly file_id: string; readonly filename: string; readonly index: number };

export interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly Annotation[];
  readonly logprobs: readonly TokenLogprob[];
}

export interface OutputRefusal {
  readonly type: "refusal";
  readonly refusal: string;
}

export type OutputContent = OutputText | OutputRefusal;
export type ItemStatus = "in_progress" | "completed" | "incomplete";

export interface MessageItem {
  readonly id: string;
  readonly type: "message";
  readonly status: ItemStatus;
  readonly role: "assistant";
  readonly content: readonly OutputContent[];
}

export interface SummaryText {
  readonly type: "summary_text";
  readonly text: string;
}

export interface ReasoningItem {
  readonly id: string;
  readonly type: "reasoning";
  readonly summary: readonly SummaryText[];
  readonly encrypted_content?: string;
}

export interface FunctionCallItem {
  readonly id: string;
  readonly type: "function_call";
  readonly status: ItemStatus;
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly arguments: string;
}

export interface CustomCallItem {
  readonly id: string;
  readonly type: "custom_tool_call";
  readonly status: ItemStatus;
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly input: string;
}

export interface WebSearchItem {
  readonly id: string;
  readonly type: "web_search_call";
  readonly status: "in_progress" | "completed";
  readonly action: { readonly type: "search"; readonly query: string };
}

export interface ImageItem {
  readonly id: string;
  readonly type: "image_generation_call";
  readonly status: "in_progress" | "completed";
  /** The image as base64. */
  readonly result: string | null;
  readonly output_format?: "png" | "webp" | "jpeg" | "gif";
}

export type OutputItem = MessageItem | ReasoningItem | FunctionCallItem | CustomCallItem | WebSearchItem | ImageItem;

/** Place of an item in the output. */
interface OfItem {
  readonly item_id: string;
  readonly output_index: number;
}

interface OfContent extends OfItem {
  readonly content_index: number;
}

interface OfSummary extends OfItem {
  readonly summary_index: 0;
}

/** Event about the output of a response, without its sequence number. */
export type OutputEvent =
  | { readonly type: "response.output_item.added"; readonly output_index: number; readonly item: OutputItem }
  | { readonly type: "response.output_item.done"; readonly output_index: number; readonly item: OutputItem }
  | (OfContent & { readonly type: "response.content_part.added"; readonly part: OutputContent })
  | (OfContent & { readonly type: "response.content_part.done"; readonly part: OutputContent })
  | (OfContent & {
      readonly type: "response.output_text.delta";
      readonly delta: string;
      readonly logprobs: readonly TokenLogprob[];
    })
  | (OfContent & {
      readonly type: "response.output_text.annotation.added";
      readonly annotation_index: number;
      readonly annotation: Annotation;
    })
  | (OfContent & {
      readonly type: "response.output_text.done";
      readonly text: string;
      readonly logprobs: readonly TokenLogprob[];
    })
  | (OfContent & { readonly type: "response.refusal.delta"; readonly delta: string })
  | (OfContent & { readonly type: "response.refusal.done"; readonly refusal: string })
  | (OfSummary & { readonly type: "response.reasoning_summary_part.added"; readonly part: SummaryText })
  | (OfSummary & { readonly type: "response.reasoning_summary_text.delta"; readonly delta: string })
  | (OfSummary & { readonly type: "response.reasoning_summary_text.done"; readonly text: string })
  | (OfSummary & { readonly type: "response.reasoning_summary_part.done"; readonly part: SummaryText })
  | (OfItem & { readonly type: "response.function_call_arguments.delta"; readonly delta: string })
  | (OfItem & {
      readonly type: "response.function_call_arguments.done";
      readonly name: string;
      readonly arguments: string;
    })
  | (OfItem & { readonly type: "response.custom_tool_call_input.delta"; readonly delta: string })
  | (OfItem & { readonly type: "response.custom_tool_call_input.done"; readonly input: string })
  | (OfItem & {
      readonly type:
        | "response.web_search_call.in_progress"
        | "response.web_search_call.searching"
        | "response.web_search_call.completed"
        | "response.image_generation_call.in_progress"
        | "response.image_generation_call.generating"
        | "response.image_generation_call.completed";
    });

export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export interface ResponseError {
  readonly code: string;
  readonly message: string;
}

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

/** What only the call decides; `ResponseEcho` has the rest of a response. */
export interface ResponseFacts {
  readonly id: string;
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly error: ResponseError | null;
  readonly incomplete_details: { readonly reason: "max_output_tokens" | "content_filter" } | null;
  readonly usage: ResponseUsage | null;
  readonly service_tier: string | null;
  readonly provider_metadata?: unknown;
}

/** Event about the whole response, without its sequence number. */
export interface ResponseEvent {
  readonly type:
    | "response.created"
    | "response.in_progress"
    | "response.completed"
    | "response.incomplete"
    | "response.failed";
  readonly response: object;
}
