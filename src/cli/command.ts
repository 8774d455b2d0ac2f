import { parseArgs } from "node:util";
import { nearest } from "../nearest.ts";
import { UsageError } from "./failures.ts";
import type { Shell } from "./shell.ts";

/** Option of a command. */
export interface Option {
  readonly type: "string" | "boolean";
  /** Placeholder for the value in the help, such as `<path>`. Only for options with a value. */
  readonly value?: string;
  /** What the option does, with its default. */
  readonly help: string;
  /** Letter that stands for the name, as in `-h`. Default: there is none. */
  readonly short?: string;
  /** Whether the option may be there several times. Only for options with a value. */
  readonly isRepeated?: true;
}

type Options = Readonly<Record<string, Option>>;

/** Values of the options that the command line has. */
export type Values<Given extends Options> = {
  readonly [Name in keyof Given]?: Given[Name] extends { readonly isRepeated: true }
    ? readonly string[]
    : Given[Name]["type"] extends "string"
      ? string
      : boolean;
};

/** Example of a command: what it does, and what follows `dragoman`. */
type Example = readonly [meaning: string, parameters: string];

/** What a command needs to be parsed and run. */
interface CommandParts<Given extends Options, Operand extends string> {
  /** What the command does: complete sentences for its help. */
  readonly description: string;
  readonly options: Given;
  /** Arguments that are no options: the name and the meaning of each. All are required. Default: none. */
  readonly operands?: Readonly<Record<Operand, string>>;
  /** Name and meaning of any number of further arguments. Default: there are none. */
  readonly rest?: readonly [name: string, meaning: string];
  /** What to write instead of an unexpected argument. Default: only options. */
  readonly insteadOfArgument?: string;
  readonly examples: readonly [Example, Example, ...Example[]];
  run(
    values: Values<Given>,
    operands: Readonly<Record<Operand, string>>,
    shell: Shell,
    rest: readonly string[],
  ): Promise<void> | void;
}

/** Command of the program. */
export interface Command {
  /** Text of `dragoman <words> --help`. */
  help(words: string): string;
  /** Parses what follows the command's words. Throws UsageError. */
  check(words: string, parameters: readonly string[]): void;
  /** Parses what follows the command's words, and runs the command. Throws UsageError. */
  execute(words: string, parameters: readonly string[], shell: Shell): Promise<void>;
}

/** The option of every command that reads the configuration. */
export const configOption = {
  type: "string",
  value: "<path>",
  help: "the configuration file; default: the variable DRAGOMAN_CONFIG, or no file",
} as const satisfies Option;

export const helpOption = { type: "boolean", short: "h", help: "print this help and exit" } as const satisfies Option;

/** Defines a command. Its help and its parsing follow from its options and operands. */
export function defineCommand<const Given extends Options, const Operand extends string = never>(
  parts: CommandParts<Given, Operand>,
): Command {
  const { description, options, rest, insteadOfArgument = "write only options", examples, run } = parts;
  const operands: Readonly<Record<string, string>> = parts.operands ?? {};
  const names = Object.keys(operands);
  const allOptions = { ...options, help: helpOption };
  return {
    help(words) {
      const further = rest === undefined ? [] : [`[<${rest[0]}>...]`];
      const line = ["dragoman", words, ...names.map((name) => `<${name}>`), ...further, "[options]"].join(" ");
      const meanings = [...Object.entries(operands), ...(rest === undefined ? [] : [rest])];
      const arguments_ = meanings.length > 0 ? `Arguments:\n${rows(meanings)}\n` : "";
      const lines = examples.map(([meaning, parameters]) => `  # ${meaning}\n  dragoman ${parameters}\n`).join("\n");
      return `Usage: ${line}\n\n${description}\n\n${arguments_}Options:\n${optionRows(allOptions)}\nExamples:\n${lines}`;
    },
    check: (words, parameters) => void read(words, parameters),
    async execute(words, parameters, shell) {
      const given = read(words, parameters);
      if (given === "help") shell.stdout.write(this.help(words));
      else await run(given.values, given.operands, shell, given.rest);
    },
  };

  /** Parses what follows the command's words. `help`: it has the option `--help`. Throws UsageError. */
  function read(words: string, parameters: readonly string[]) {
    const advice = `see dragoman ${words} --help`;
    const { values, positionals, repeated } = parse(parameters, allOptions, advice);
    if (values.help === true) return "help";
    if (repeated !== undefined) throw new UsageError(`--${repeated} is there twice; write it once`);
    for (const [name, value] of Object.entries(values)) {
      if (value === "" || (Array.isArray(value) && value.includes("")))
        throw new UsageError(`--${name} needs a value; ${advice}`);
    }
    const missing = names[positionals.length];
    if (missing !== undefined) throw new UsageError(`<${missing}> is missing: ${operands[missing]}; ${advice}`);
    // Do not quote the argument, which may be a secret.
    if (rest === undefined && positionals.length > names.length) {
      throw new UsageError(`unexpected argument; ${insteadOfArgument}; ${advice}`);
    }
    const given = Object.fromEntries(names.map((name, index) => [name, positionals[index] ?? ""]));
    return { values, operands: given as Record<Operand, string>, rest: positionals.slice(names.length) };
  }
}

interface Parsed<Given extends Options> {
  readonly values: Values<Given>;
  readonly positionals: readonly string[];
  /** An option that is there more than once, and may not. */
  readonly repeated: string | undefined;
}

/** Parses options and other arguments. Throws UsageError that ends with `advice`. */
export function parse<const Given extends Options>(
  parameters: readonly string[],
  options: Given,
  advice: string,
): Parsed<Given> {
  const types = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, isRepeated = false }]) => [
      name,
      { type, multiple: isRepeated, ...(short && { short }) },
    ]),
  );
  try {
    const parsed = parseArgs({ args: [...parameters], options: types, allowPositionals: true, tokens: true });
    const names = parsed.tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
    const repeated = names.find((name, index) => !options[name]?.isRepeated && names.indexOf(name) < index);
    // The parser checks the values against the table that the types come from.
    return { values: parsed.values as Values<Given>, positionals: parsed.positionals, repeated };
  } catch (error) {
    const [message = ""] = String(error instanceof Error ? error.message : error).split(/\. |\.?\n|\.$/, 1);
    throw new UsageError(
      `${message.charAt(0).toLowerCase()}${message.slice(1)}; ${insteadOf(message, options) ?? advice}`,
    );
  }
}

/** Returns what to write instead of an unknown option. Undefined: there is nothing similar. */
function insteadOf(message: string, options: Options): string | undefined {
  const [, written] = /^Unknown option '--?([^']*)'/.exec(message) ?? [];
  if (written === undefined) return undefined;
  if (written.length === 1) {
    const named = Object.keys(options).filter((name) => name.startsWith(written.toLowerCase()));
    return named.length === 0 ? undefined : `did you mean ${named.map((name) => `--${name}`).join(" or ")}?`;
  }
  // Other users of the machine can read command lines.
  if ("key-file" in options && /^(api-?)?key$/.test(written)) return "set DRAGOMAN_API_KEY, or write --key-file";
  const near = nearest(written, Object.keys(options)).map((name) => `--${name}`);
  return near.length > 0 ? `did you mean ${near.join(" or ")}?` : undefined;
}

/** Lines of the help for options. */
export function optionRows(options: Options): string {
  return rows(
    Object.entries(options).map(([name, { value, short, help }]) => [
      `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`,
      help,
    ]),
  );
}

/** Lines of two aligned columns. A text can have several lines. */
export function rows(entries: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  const further = `\n${" ".repeat(width + 4)}`;
  return entries.map(([name, text]) => `  ${name.padEnd(width)}  ${text.replaceAll("\n", further)}\n`).join("");
}
