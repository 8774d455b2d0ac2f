import { inspect } from "node:util";

/** A secret string. Logs, JSON and string conversions show `[secret]`; only `reveal` returns the value. */
export class Secret {
  readonly #value: string;
  /** Environment variable that has the value. Undefined: the file has it. */
  readonly variable: string | undefined;

  constructor(value: string, variable?: string) {
    this.#value = value;
    this.variable = variable;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
