import type { Option, Values } from "../command.ts";

/** The options of the commands that send a chat request. */
export const requestOptions = {
  model: { type: "string", value: "<model>", help: "model or route to call, which `dragoman models` lists; required" },
  system: { type: "string", value: "<text>", help: "system prompt; default: none" },
  image: { type: "string", value: "<path|url>", help: "image for the model; can be repeated", isRepeated: true },
  file: {
    type: "string",
    value: "<path|url>",
    help: "file for the model: a text file becomes part of the prompt, and a PDF,\naudio or video is sent as it is; can be repeated",
    isRepeated: true,
  },
  tool: {
    type: "string",
    value: "<path>",
    help: "JSON file with a function that the model may call, or a list of them:\nname, description, parameters; calls are shown; can be repeated",
    isRepeated: true,
  },
  schema: { type: "string", value: "<path>", help: "JSON file with the schema of the response" },
  "max-output-tokens": { type: "string", value: "<n>", help: "maximum tokens of the response" },
  temperature: { type: "string", value: "<t>", help: "randomness from 0 to 2" },
  thinking: {
    type: "string",
    value: "<amount>",
    help: "reasoning: none, minimal, low, medium, high, xhigh, max, or a number\nof tokens; default: that of the model",
  },
  param: {
    type: "string",
    value: "<field=value>",
    help: "any field of ChatRequest or of its parameters, such as top_p=0.9 or\nlabels.team=search; JSON or a text; can be repeated",
    isRepeated: true,
  },
  "provider-options": {
    type: "string",
    value: "<json>",
    help: 'fields for providers by their names: {"openai": {"verbosity": "low"}}',
  },
  account: { type: "string", value: "<id>", help: "account of the call; default: that of the API key" },
} as const satisfies Readonly<Record<string, Option>>;

export type RequestValues = Values<typeof requestOptions>;
