// The types that the vendors publish: of the responses of providers, and of the requests of OpenAI's chat API. The tests
// make an instance of each of their members, so that a member that a new version adds fails a test until Dragoman
// carries it.
import type Anthropic from "@anthropic-ai/sdk";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type Cerebras from "@cerebras/cerebras_cloud_sdk";
import type { GenerateContentResponse, Part } from "@google/genai";
import type { ChatCompletionResponse, CompletionChunk } from "@mistralai/mistralai/models/components";
import type { Cohere } from "cohere-ai";
import type OpenAI from "openai";

export type AnthropicEvent = Anthropic.RawMessageStreamEvent;
export type AnthropicBlock = Anthropic.ContentBlock;
export type AnthropicBetaEvent = Anthropic.Beta.BetaRawMessageStreamEvent;
export type BedrockEvent = ConverseStreamOutput;
export type CohereEvent = Cohere.V2ChatStreamResponse;
export type GoogleResponse = GenerateContentResponse;
export type GooglePart = Part;
export type MistralChunk = CompletionChunk;
export type MistralResponse = ChatCompletionResponse;
export type OpenAiChunk = OpenAI.ChatCompletionChunk;
export type OpenAiResponse = OpenAI.ChatCompletion;
export type OpenAiRequest = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
export type OpenAiModel = OpenAI.Model;
/** Events with content that no later event repeats, and the item that repeats the content of others. */
export type ResponsesEvent = Extract<
  OpenAI.Responses.ResponseStreamEvent,
  {
    type:
      | "error"
      | "response.output_text.delta"
      | "response.output_text.annotation.added"
      | "response.refusal.delta"
      | "response.reasoning_summary_text.delta"
      | "response.reasoning_text.delta"
      | "response.function_call_arguments.delta"
      | "response.custom_tool_call_input.delta"
      | "response.output_item.done";
  }
>;
/** A response without its output, and without the fields that repeat the request. */
export type ResponsesFacts = Omit<OpenAI.Responses.Response, RepeatedFields | "output" | "error" | "model" | "status">;
type RepeatedFields =
  | keyof OpenAI.Responses.ResponseCreateParams
  | ("output_text" | "incomplete_details" | "object" | "created_at" | "completed_at");
export type CerebrasChunk = Cerebras.ChatCompletion.ChatChunkResponse;
export type CerebrasResponse = Cerebras.ChatCompletion.ChatCompletionResponse;
