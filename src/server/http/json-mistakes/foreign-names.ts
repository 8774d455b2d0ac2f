/**
 * What to write instead of a field that other chat APIs have, mostly OpenAI's, by message and name. A field of the same
 * name elsewhere in the request needs no entry: see `unknownField`.
 */
export const foreignNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "dragoman.v1.ChatRequest": {
    max_tokens: "write parameters.max_output_tokens",
    max_completion_tokens: "write parameters.max_output_tokens",
    stop: "write parameters.stop_sequences",
    stream: "omit it, and call StreamChat for a stream",
    stream_options: "omit it; every response has its usage",
    system: 'write a message with the role "ROLE_SYSTEM"',
    response_format: "write output_format",
    reasoning_effort: "write reasoning.effort",
    reasoning_format: "write reasoning.format",
    thinking: "write reasoning",
    metadata: "write labels",
    functions: "write tools",
    function_call: "write tool_choice",
    modalities: "write response_modalities",
    audio: "write audio_output",
    models: "write fallback_models",
    fallbacks: "write fallback_models",
  },
  "dragoman.v1.GenerationParameters": {
    max_tokens: "write max_output_tokens",
    max_completion_tokens: "write max_output_tokens",
    min_tokens: "write min_output_tokens",
    stop: "write stop_sequences",
    reasoning_effort: "write reasoning.effort, beside parameters",
  },
  "dragoman.v1.Message": {
    content: 'write parts, such as [{"text": "..."}]',
    tool_calls: "write each call as a part with tool_call",
    tool_call_id: 'write a part with tool_result in a message with the role "ROLE_TOOL"',
    refusal: "write a part with refusal",
    reasoning: "write a part with reasoning",
    reasoning_content: "write a part with reasoning",
  },
  "dragoman.v1.Part": {
    type: 'omit it; the field tells the kind, as in {"text": "..."}',
    image_url: 'write media, such as {"media": {"url": "..."}}',
    image: 'write media, such as {"media": {"data": "<base64>", "media_type": "image/png"}}',
    input_audio: 'write media, such as {"media": {"data": "<base64>", "media_type": "audio/wav"}}',
    file: 'write media, such as {"media": {"file_id": "..."}}',
    tool_use: "write tool_call",
    thinking: "write reasoning",
    cache_control: "write cache_hint",
  },
  "dragoman.v1.Tool": {
    cache_control: "write cache_hint",
    type: 'omit it; the field tells the kind, as in {"function": {"name": "..."}}',
    parameters: "write function.parameters_json_schema, the JSON Schema as a string",
    input_schema: "write function.parameters_json_schema, the JSON Schema as a string",
  },
  "dragoman.v1.FunctionTool": {
    parameters: "write parameters_json_schema, the JSON Schema as a string",
    input_schema: "write parameters_json_schema, the JSON Schema as a string",
  },
  "dragoman.v1.ToolChoice": {
    type: 'omit it; write tool_name, or mode, such as "TOOL_CHOICE_MODE_REQUIRED"',
    function: "write tool_name, the name as a string",
    name: "write tool_name",
  },
  "dragoman.v1.ToolCall": {
    type: "omit it",
    function: "write name and arguments_json in tool_call itself",
    arguments: "write arguments_json, the arguments as a string",
  },
  "dragoman.v1.OutputFormat": {
    type: 'omit it; the field tells the format, as in {"json_object": {}}',
  },
  "dragoman.v1.JsonSchema": {
    schema: "write schema_json, the JSON Schema as a string",
  },
};
