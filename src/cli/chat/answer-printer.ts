import type { ChatEvent } from "../../chat/stream/events.ts";
import type { Environment } from "../../config/environment.ts";
import { type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import type { Output } from "../shell.ts";
import { type Styles, stylesFor } from "../styles.ts";
import { printable } from "../table.ts";
import { harmless } from "../terminal-text.ts";
import { describeMedia, describeSource, textOf } from "./describe-parts.ts";

interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
}

/**
 * Prints a response as it comes: the text of the first choice on standard output, and all else on standard error, so that
 * a program gets nothing but the text.
 */
export class AnswerPrinter {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #styles: Styles;
  /** Whether only the text and mistakes are printed. */
  readonly #isQuiet: boolean;
  /** Kind of what was printed last. */
  #section = "";
  /** What the lines of both outputs end with. In a terminal, both outputs share their lines. */
  readonly #lines: { readonly out: { isOpen: boolean }; readonly err: { isOpen: boolean } };

  constructor({ stdout, stderr, environment }: Outputs, isQuiet: boolean) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#styles = stylesFor(stderr, environment);
    this.#isQuiet = isQuiet;
    const out = { isOpen: false };
    this.#lines = { out, err: stdout.isTTY && stderr.isTTY ? out : { isOpen: false } };
  }

  /** Prints an event. `choice`: the folded choice of the event `finished`. */
  add(event: ChatEvent, choice: Choice | undefined): void {
    switch (event.case) {
      case "started":
        this.#warn(event.value.warnings);
        return;
      case "delta":
        if (event.value.choiceIndex === 0) this.#delta(event.value);
        return;
      case "finished":
        if (choice?.index === 0) this.#finish(choice);
        return;
      case "completed":
        this.#warn(event.value.warnings);
        return;
      default:
        event satisfies never;
    }
  }

  /** Prints a further choice, which could not be printed while the first one was. */
  addChoice(choice: Choice): void {
    this.note(this.#styles.dim(`choice ${choice.index + 1}:`));
    this.#text(textOf(choice));
    this.end();
    this.#finish(choice);
  }

  /** Prints a line on standard error. */
  note(line: string): void {
    if (this.#isQuiet) return;
    this.#begin("note");
    this.#stderr.write(`${line}\n`);
  }

  /** Ends the last line of the text. */
  end(): void {
    this.#begin("");
    if (!this.#lines.out.isOpen) return;
    this.#stdout.write("\n");
    this.#lines.out.isOpen = false;
  }

  #delta({ delta }: PartDelta): void {
    switch (delta.case) {
      case "text":
        this.#text(delta.value);
        return;
      case "reasoning":
        if (delta.value.text !== "") this.#aside("reasoning", delta.value.text, this.#styles.dim);
        return;
      case "refusal":
        this.#aside("refusal", delta.value, this.#styles.yellow);
        return;
      case "serverToolCall":
        if (delta.value.name !== "") this.note(this.#styles.cyan(`provider's tool: ${printable(delta.value.name)}`));
        return;
      // The whole parts are printed at the end of the choice: their deltas are pieces of JSON and bytes.
      case "toolCall":
      case "serverToolResult":
      case "media":
      case "citation":
      case undefined:
        return;
      default:
        delta satisfies never;
    }
  }

  #finish({ message, sources, finishReason, outputViolation }: Choice): void {
    const { cyan, dim, yellow } = this.#styles;
    for (const { kind } of message?.parts ?? []) {
      if (kind.case === "toolCall") {
        const { id, name, argumentsJson } = kind.value;
        this.note(`${cyan(`tool call ${printable(name)}`)} ${printable(argumentsJson)} ${dim(printable(id))}`);
      } else if (kind.case === "media") this.note(cyan(describeMedia(kind.value)));
    }
    const all = [...(message?.parts.flatMap(({ citations }) => citations) ?? []), ...sources];
    const texts = [...new Set(all.map(describeSource).filter((text) => text !== ""))];
    for (const [index, text] of texts.entries()) this.note(dim(`source ${index + 1}: ${printable(text)}`));
    if (outputViolation !== undefined) {
      const { message: what, instancePath } = outputViolation;
      this.note(yellow(`the output is not in the format: ${printable(`${what} ${instancePath}`.trim())}`));
    }
    if (finishReason === FinishReason.LENGTH) {
      this.note(yellow("the output reached its limit; raise --max-output-tokens, or shorten the prompt"));
    } else if (finishReason === FinishReason.CONTENT_FILTER) {
      this.note(yellow("the output was filtered, or the model refused"));
    }
  }

  #warn(warnings: readonly Warning[]): void {
    for (const { reason, field, message } of warnings) {
      const place = field === "" ? "" : ` ${field}`;
      this.note(this.#styles.yellow(`warning ${printable(`${reason}${place}: ${message}`)}`));
    }
  }

  #text(text: string): void {
    if (text === "") return;
    this.#begin("text");
    this.#stdout.write(this.#stdout.isTTY ? harmless(text) : text);
    this.#lines.out.isOpen = !text.endsWith("\n");
  }

  #aside(kind: string, text: string, style: (text: string) => string): void {
    if (this.#isQuiet || text === "") return;
    const isNew = this.#section !== kind;
    this.#begin(kind);
    this.#stderr.write(style(`${isNew ? `${kind}: ` : ""}${harmless(text)}`));
    this.#lines.err.isOpen = !text.endsWith("\n");
  }

  /** Ends the line of another kind of content. On an output of its own, the text stays as it is. */
  #begin(section: string): void {
    if (this.#section === section) return;
    const wasText = this.#section === "text";
    this.#section = section;
    const { out, err } = this.#lines;
    if (!err.isOpen) return;
    (wasText && out === err ? this.#stdout : this.#stderr).write("\n");
    err.isOpen = false;
  }
}
