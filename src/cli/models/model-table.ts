import { type Model, type ModelCapabilities, ModelState } from "../../gen/dragoman/v1/model_pb.js";
import { type Column, layOut } from "../table.ts";
import { formatCount, formatShort } from "../usage/amounts.ts";

/** Lays out models as a table: the titles, then one line for each. */
export function modelTable(models: readonly Model[], width: number | undefined): readonly string[] {
  const column = (title: string, cellOf: (model: Model) => string, align: Column["align"] = "left"): Column => ({
    ...{ title, align },
    cells: models.map(cellOf),
  });
  return layOut(
    [
      column("id", ({ id }) => id),
      column("provider", ({ provider }) => provider),
      {
        ...column("context", ({ contextWindowTokens: tokens }) => countOf(tokens, formatCount), "right"),
        shortCells: models.map(({ contextWindowTokens: tokens }) => countOf(tokens, formatShort)),
      },
      column("input", (model) => priceOf(model, "inputPicosPerToken"), "right"),
      column("output", (model) => priceOf(model, "outputPicosPerToken"), "right"),
      // Ids stay whole, so that they can be copied.
      { ...column("supports", supports), isCut: true },
    ],
    width,
  );
}

function countOf(tokens: number, format: (count: bigint) => string): string {
  return tokens === 0 ? "?" : format(BigInt(tokens));
}

const picosPerDollarPerMillion = 1_000_000n;

/** Price of the usual tier and the shortest prompts, in US dollars per million tokens. */
function priceOf({ prices }: Model, name: "inputPicosPerToken" | "outputPicosPerToken"): string {
  const usual = prices.find(({ serviceTier, fromInputTokens }) => serviceTier === "" && fromInputTokens === 0);
  if (usual === undefined) return "?";
  const whole = usual[name] / picosPerDollarPerMillion;
  const fraction = String(usual[name] % picosPerDollarPerMillion).padStart(6, "0");
  return `$${whole}.${fraction.replace(/0{1,4}$/, "")}`;
}

const names: readonly (readonly [keyof ModelCapabilities, string])[] = [
  ["tools", "tools"],
  ["jsonSchema", "schema"],
  ["reasoning", "reasoning"],
  ["imageInput", "image"],
  ["audioInput", "audio"],
  ["documentInput", "document"],
];

function supports({ capabilities, state }: Model): string {
  const supported = names.filter(([name]) => capabilities?.[name] === true).map(([, text]) => text);
  if (state === ModelState.UNAVAILABLE) return ["(unavailable)", ...supported].join(" ");
  return supported.join(" ");
}
