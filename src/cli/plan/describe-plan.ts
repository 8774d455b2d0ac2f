import { isFieldSet, toJson } from "@bufbuild/protobuf";
import type { PlanChatResponse } from "../../gen/dragoman/v1/chat_service_pb.js";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import { type GenerationParameters, GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { Profile } from "../../gen/dragoman/v1/profile_pb.js";
import { UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import type { Styles } from "../styles.ts";
import { printable } from "../table.ts";
import { harmless } from "../terminal-text.ts";
import { formatCount } from "../usage/amounts.ts";

/** Describes a plan for people, in sections. `hasBody`: also the provider's request. */
export function describePlan(plan: PlanChatResponse, styles: Styles, hasBody: boolean): string {
  const { bold } = styles;
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["call", callLines(plan)],
    ["targets", targetLines(plan, styles)],
    ["parameters", parameterLines(plan.effectiveParameters)],
    ["changes", warningLines(plan, styles)],
    ["messages", plan.messages.map(describeMessage)],
    ["rendered prompt", plan.renderedPrompt === "" ? [] : harmless(plan.renderedPrompt).split("\n")],
    ["provider's request", hasBody ? bodyLines(plan.providerRequestJson) : []],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${bold(title)}\n${lines.map((line) => `  ${line}\n`).join("")}`)
    .join("\n");
}

function callLines({ model, provider, profile, inputTokens, inputTokensQuality, outputTokensLimit }: PlanChatResponse) {
  const about = inputTokensQuality === UsageQuality.EXACT ? "" : "about ";
  const limit = outputTokensLimit === 0 ? "no known limit" : `at most ${formatCount(BigInt(outputTokensLimit))}`;
  return [
    `model     ${printable(model)}`,
    `provider  ${printable(provider)}`,
    `profile   ${(Profile[profile] ?? "unknown").toLowerCase().replaceAll("_", "-")}`,
    `tokens    ${about}${formatCount(BigInt(inputTokens))} in, ${limit} out`,
  ];
}

/** The first usable target gets the call. The reasons say why it is not another one. */
function targetLines({ consideredTargets: targets }: PlanChatResponse, { green, red, dim }: Styles): readonly string[] {
  const first = targets.findIndex(({ usable }) => usable);
  return targets.map(({ target, usable, rejection }, index) => {
    const name = printable(target);
    if (!usable) return `${red("no")}    ${name}  ${dim(printable(rejection))}`;
    return index === first ? `${green("first")} ${name}` : `then  ${name}`;
  });
}

function parameterLines(parameters: GenerationParameters | undefined): readonly string[] {
  if (parameters === undefined) return ["none: the provider's defaults apply"];
  const set = GenerationParametersSchema.fields.filter((field) => isFieldSet(parameters, field));
  if (set.length === 0) return ["none: the provider's defaults apply"];
  const json = toJson(GenerationParametersSchema, parameters, { useProtoFieldName: true });
  const width = Math.max(...set.map(({ name }) => name.length));
  const values: Readonly<Record<string, unknown>> = typeof json === "object" && json !== null ? { ...json } : {};
  return set.map(({ name }) => `${name.padEnd(width)}  ${printable(JSON.stringify(values[name]))}`);
}

function warningLines({ warnings }: PlanChatResponse, { yellow }: Styles): readonly string[] {
  if (warnings.length === 0) return ["none: the model gets the request as it is"];
  return warnings.map(({ reason, field, message }) => {
    const place = field === "" ? "" : `${printable(field)}: `;
    return `${yellow(printable(reason))}  ${place}${printable(message)}`;
  });
}

function describeMessage({ role, parts }: Message): string {
  const texts = parts.map(({ kind }) => (kind.case === "text" ? kind.value : `[${kind.case ?? "unknown"}]`));
  const text = printable(texts.join(" ").replaceAll(/\s+/g, " "));
  const whole = text.length > 80 ? `${text.slice(0, 79).toWellFormed()}…` : text;
  return `${(Role[role] ?? "unknown").toLowerCase().padEnd(9)}  ${whole}`;
}

function bodyLines(json: string): readonly string[] {
  if (json === "") return ["none: the model runs inside Dragoman"];
  return JSON.stringify(JSON.parse(json), null, 2).split("\n").map(printable);
}
