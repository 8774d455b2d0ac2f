// Runs the function that the model calls, and sends its result back.

import { Role } from "../../src/client/index.ts";
import { client, textOf, user } from "./connect.ts";

const parametersJsonSchema = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}';
const getWeather = { name: "get_weather", description: "Returns the weather of a city.", parametersJsonSchema };
const chat = {
  model: "echo/echo",
  messages: [user("What is the weather in Paris?")],
  tools: [{ kind: { case: "function" as const, value: getWeather } }],
};

// The script makes echo/echo call the function. Other models need none.
const script = { echo: { tool_calls: [{ name: "get_weather", arguments: { city: "Paris" } }] } };
const first = await client.completeChat({ chat: { ...chat, providerOptions: script } });

const answer = first.completion?.choices[0]?.message;
const results = (answer?.parts ?? []).flatMap(({ kind }) => {
  if (kind.case !== "toolCall") return [];
  console.log(`${kind.value.name} ${kind.value.argumentsJson}`);
  const parts = [{ kind: { case: "text" as const, value: "18 degrees and sunny" } }];
  return [{ kind: { case: "toolResult" as const, value: { toolCallId: kind.value.id, parts } } }];
});

// The message of the model goes back unchanged: providers need all of its parts.
const messages = [...chat.messages, ...(answer ? [answer] : []), { role: Role.TOOL, parts: results }];
const second = await client.completeChat({ chat: { ...chat, messages } });
console.log(textOf(second.completion?.choices[0]?.message));
