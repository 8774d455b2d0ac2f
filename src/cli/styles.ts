import { styleText } from "node:util";
import type { Environment } from "../config/environment.ts";
import type { Output } from "./shell.ts";

type Style = "dim" | "bold" | "red" | "yellow" | "green" | "cyan";

/** Functions that give a text a style. Without colors, they return the text. */
export type Styles = Readonly<Record<Style, (text: string) => string>>;

/**
 * Returns whether an output gets colors: in a terminal, unless NO_COLOR is set (https://no-color.org). FORCE_COLOR
 * decides in any case, as in Node.js: 0 and false mean no colors.
 */
export function hasColors(output: Output, { FORCE_COLOR, NO_COLOR, TERM }: Environment): boolean {
  if (FORCE_COLOR !== undefined) return !/^(0|false)$/i.test(FORCE_COLOR);
  return output.isTTY === true && !NO_COLOR && TERM !== "dumb";
}

/** Returns the styles for an output. */
export function stylesFor(output: Output, environment: Environment): Styles {
  const isStyled = hasColors(output, environment);
  const style = (name: Style) => (text: string) => (isStyled ? styleText(name, text, { validateStream: false }) : text);
  return {
    dim: style("dim"),
    bold: style("bold"),
    red: style("red"),
    yellow: style("yellow"),
    green: style("green"),
    cyan: style("cyan"),
  };
}
