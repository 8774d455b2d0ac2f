import { UsageError } from "../failures.ts";
import type { Shell } from "../shell.ts";

/**
 * Returns the prompt: the arguments, with standard input in place of `-`. Without arguments, it is standard input, unless
 * a person writes there. Undefined: there is no prompt.
 */
export async function readPrompt(
  words: readonly string[],
  { stdin, openDialog }: Pick<Shell, "stdin" | "openDialog">,
): Promise<string | undefined> {
  if (words.length === 0) {
    if (openDialog !== undefined) return undefined;
    return required((await textOf(stdin)).trim());
  }
  if (!words.includes("-")) return required(words.join(" "));
  const text = (await textOf(stdin)).trim();
  if (text === "") throw new UsageError("standard input, for which - stands, is empty; write text there, or omit -");
  return required(words.map((word) => (word === "-" ? text : word)).join("\n\n"));
}

function required(prompt: string): string {
  if (prompt.trim() !== "") return prompt;
  throw new UsageError("the prompt is empty; write it as an argument, or to standard input");
}

async function textOf(input: Shell["stdin"]): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks).toString("utf8");
}
