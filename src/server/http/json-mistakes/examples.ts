import type { DescMessage } from "@bufbuild/protobuf";

/** A short value of the messages for which callers often write another form. */
const examples: Readonly<Record<string, string>> = {
  "dragoman.v1.Message": '{"role": "ROLE_USER", "parts": [{"text": "..."}]}',
  "dragoman.v1.Part": '{"text": "..."}',
  "dragoman.v1.ToolResultPart": '{"text": "..."}',
  "dragoman.v1.Tool": '{"function": {"name": "..."}}',
  "dragoman.v1.ToolChoice": '{"mode": "TOOL_CHOICE_MODE_AUTO"}',
  "dragoman.v1.AllowedTools": '{"mode": "TOOL_CHOICE_MODE_AUTO", "tool_names": ["..."]}',
  "dragoman.v1.OutputFormat": '{"json_object": {}}',
  "dragoman.v1.JsonObject": "{}",
  "dragoman.v1.Regex": '{"pattern": "..."}',
  "dragoman.v1.Prediction": '{"content": "..."}',
  "dragoman.v1.ReasoningConfig": '{"effort": "REASONING_EFFORT_HIGH"}',
  "dragoman.v1.MemoryStrategy": '{"last_k": {"k": 10}}',
};

/** Returns the end of an error: an example of a message, or of a list of such messages. Empty if there is none. */
export function exampleOf(message: DescMessage | undefined, isList = false): string {
  const example = message && examples[message.typeName];
  if (example === undefined) return "";
  return `, such as ${isList ? `[${example}]` : example}`;
}
