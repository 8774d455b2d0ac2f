import { isJson } from "../../chat/validation/request-rules.ts";
import { memberAt, membersOf, objectOf } from "../kit/json-text.ts";
import { callerCallOf } from "./caller-calls.ts";
import { imageType } from "./replay.ts";

// Calls of tools that OpenAI runs, such as `web_search_call`. An item has the call and its result.

/** Whether an item is a call of a tool that OpenAI runs. */
export function isServerCall(type: string): boolean {
  return type.endsWith("_call") && type !== "function_call" && type !== imageType && callerCallOf(type) === undefined;
}

/** Members that are no input. */
const envelope: ReadonlySet<string> = new Set(["type", "id", "status"]);

/** Members that are results, by the order in which they are looked for. */
const results = ["results", "outputs", "output", "error"] as const;

/** Returns the input of a call as JSON. */
export function inputOf(type: string, json: string): string {
  if (type === "web_search_call") {
    return objectOf([...membersOf(memberAt(json, "action"))].filter(([name]) => name !== "sources"));
  }
  if (type === "mcp_call") {
    const text: unknown = JSON.parse(memberAt(json, "arguments") || '""');
    if (typeof text === "string" && text !== "" && isJson(text)) return text;
  }
  const isResult = (name: string) => results.some((result) => result === name);
  return objectOf([...membersOf(json)].filter(([name]) => !envelope.has(name) && !isResult(name)));
}

/** Returns the result of a call as JSON. Undefined: the item has none, unless the request includes it. */
export function resultOf(type: string, json: string): { readonly json: string; readonly isError: boolean } | undefined {
  const members = membersOf(json);
  const isError = members.get("status") === '"failed"';
  const found =
    type === "web_search_call" ? [memberAt(json, "action", "sources")] : results.map((name) => members.get(name));
  const value = found.find((text) => text !== undefined && text !== "" && text !== "null");
  if (value === undefined) return undefined;
  return { json: value, isError: isError || value === members.get("error") };
}
