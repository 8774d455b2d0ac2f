/**
 * Content that only some adapters send. For the others, Dragoman replaces it, leaves it out or rejects it.
 *
 * - search_results: search_result parts, in user messages and tool results
 * - server_tools: server_tool_call and server_tool_result parts
 * - raw_arguments: arguments of tool calls that are no JSON object, as the model wrote them
 * - citations: citations of assistant messages
 * - output_media: media in assistant messages
 * - file_ids: Media.file_id
 * - citable: Media.citable
 * - response_modalities: response_modalities and audio_output
 * - provider_tools: tools that the provider runs
 * - tool_options: FunctionTool.provider_options
 * - tool_references: tool_reference parts in tool results
 * - claude_signatures: signed reasoning of Claude from any host, since each host accepts those of the others:
 *   https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export type OptionalContent =
  | "search_results"
  | "server_tools"
  | "raw_arguments"
  | "citations"
  | "output_media"
  | "file_ids"
  | "citable"
  | "response_modalities"
  | "provider_tools"
  | "tool_options"
  | "tool_references"
  | "claude_signatures";
