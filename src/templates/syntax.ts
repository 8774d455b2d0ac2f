import { type Program, parse, type Token, tokenize } from "./jinja.ts";
import { explain, TemplateProblem } from "./problem.ts";

/**
 * Whitespace settings for chat templates, as in the Python library transformers.
 * https://huggingface.co/docs/transformers/chat_templating_writing
 */
const whitespace = { lstrip_blocks: true, trim_blocks: true } as const;

/** Parses a template. Throws TemplateProblem with the line of the mistake, which the library does not report. */
export function parseTemplate(source: string): Program {
  const tokens = tokenizeTemplate(source);
  try {
    return parse(tokens);
  } catch (error) {
    if (error instanceof RangeError) throw new TemplateProblem(explain(error));
    throw parseProblem(source, tokens, error);
  }
}

function tokenizeTemplate(source: string): readonly Token[] {
  try {
    return tokenize(source, whitespace);
  } catch (error) {
    const tags = findTags(source);
    // Binary search for the first tag that makes tokenizing fail. Every longer prefix of the source fails too.
    let low = 0;
    for (let high = tags.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (canTokenize(source.slice(0, tags[middle]?.end))) low = middle + 1;
      else high = middle;
    }
    throw new TemplateProblem(`line ${tags[low]?.line ?? 1}: ${explain(error)}`);
  }
}

function canTokenize(source: string): boolean {
  try {
    tokenize(source, whitespace);
    return true;
  } catch {
    return false;
  }
}

function parseProblem(source: string, tokens: readonly Token[], error: unknown): TemplateProblem {
  const reached = furthestToken(tokens);
  const tags = findTags(source);
  if (reached >= tokens.length) {
    const open = unclosedBlock(tags);
    const line = open?.line ?? tags.at(-1)?.line ?? 1;
    const what = open === undefined ? "a tag is not closed" : `the block ${open.word} is not closed`;
    return new TemplateProblem(`line ${line}: ${what}`);
  }
  const openings = tokens
    .slice(0, reached + 1)
    .filter(({ type }) => /^Open(Statement|Expression)$|^Comment$/.test(type));
  return new TemplateProblem(`line ${tags[openings.length - 1]?.line ?? 1}: ${explain(error)}`);
}

/** Returns the index of the last token that the parser read. */
function furthestToken(tokens: readonly Token[]): number {
  let furthest = 0;
  const watched = new Proxy(tokens, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) furthest = Math.max(furthest, Number(key));
      return Reflect.get(target, key);
    },
  });
  try {
    parse(watched);
  } catch {
    // The caller already has this error.
  }
  return furthest;
}

interface Tag {
  /** Line number. The first line is 1. */
  readonly line: number;
  /** Index of the first character after the tag; the length of the source if the tag is not closed. */
  readonly end: number;
  /** First word of a statement. Empty for expressions and comments. */
  readonly word: string;
  readonly text: string;
}

const opening = /\{(?:(#)|(?:(%)|\{)[-+]?\s*(\w*))/g;
const ending = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|([%}]\})/gs;

/** Returns the tags of a template, except `generation` tags, which the library removes before tokenizing. */
function findTags(source: string): readonly Tag[] {
  const tags: Tag[] = [];
  for (opening.lastIndex = 0; ; ) {
    const found = opening.exec(source);
    if (found === null) return tags;
    const [, comment, statement, name = ""] = found;
    const end = comment ? endOf(source.indexOf("#}", opening.lastIndex), source) : endOfTag(source, opening.lastIndex);
    opening.lastIndex = end;
    const word = statement ? name : "";
    if (/^(end)?generation$/.test(word)) continue;
    tags.push({
      line: source.slice(0, found.index).split("\n").length,
      end,
      word,
      text: source.slice(found.index, end),
    });
  }
}

function endOfTag(source: string, start: number): number {
  for (ending.lastIndex = start; ; ) {
    const found = ending.exec(source);
    if (found === null || found[1]) return endOf(found?.index ?? -1, source);
  }
}

function endOf(index: number, source: string): number {
  return index < 0 ? source.length : index + 2;
}

const blocks = new Set(["if", "for", "macro", "call", "filter", "set"]);

function unclosedBlock(tags: readonly Tag[]): Tag | undefined {
  const open: Tag[] = [];
  for (const tag of tags) {
    if (tag.word.startsWith("end")) open.pop();
    else if (blocks.has(tag.word) && !(tag.word === "set" && tag.text.includes("="))) open.push(tag);
  }
  return open.at(-1);
}
