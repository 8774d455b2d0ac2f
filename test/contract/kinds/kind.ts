import { type CaseName, type Dialect, isApplicable, titleOf } from "../dialect.ts";
import { publishedApis } from "../published/apis.ts";

/** Why a kind cannot happen at a provider API; undefined if it can. */
type Why = (dialect: Dialect) => string | undefined;

/** What holds a kind of fault for every provider API: each one has the test, or a reason. */
export type DialectHold =
  /** The contract case, in each form. */
  | { readonly reads: CaseName }
  /** A test by its name. `{form}`, `{title}` and `{heading}` stand for those of the form and the provider API. */
  | {
      readonly test: string;
      /** The enclosing `describe`. Default: `{heading}`. */
      readonly under?: string;
      readonly why?: Why;
      /** Why the test holds nothing for whole responses. Default: it holds both forms. */
      readonly onlyStreamed?: string;
    };

/** A test that holds a kind for all provider APIs at once, or where the kind is a matter of few. */
export interface FileHold {
  readonly file: string;
  /** Matches the name of the test. Of several tests, each must pass. */
  readonly test: RegExp;
}

/** A kind of fault, said as what must hold, and the tests that hold it. */
export interface Kind {
  readonly sentence: string;
  readonly holds: readonly (DialectHold | FileHold)[];
}

const ofConversations: Why = ({ conversation }) => (isApplicable(conversation) ? undefined : conversation.why);

/** A test of conversations.test.ts. */
export const converses = (test: string): DialectHold => ({ test, why: ofConversations });

/** A test of what each API gets. */
export const gets = (test: string): DialectHold => ({ test, under: "the {title} API" });

/** A test of what each API with tools gets. */
export const getsWithTools = (test: string): DialectHold => ({ ...gets(test), why: ofConversations });

/** Of an API that is not in OpenAI's format: why the message rules of other vendors' models do not reach it. */
const ownModels: Readonly<Record<string, string>> = {
  anthropic: "the API has only models of Anthropic",
  bedrock: "Converse has no tool messages: results are in user messages, and reasoning is in blocks with signatures",
  cohere: "the API has only models of Cohere",
  "generate-content": "generateContent has only models of Google",
  "openai-responses": "the rules are about messages of Chat Completions, and OpenAI's API has only models of OpenAI",
};

/** A test of families.test.ts about messages, at each host of models of several vendors. */
export const atHosts = (test: string, mistral?: string): DialectHold => ({
  test,
  under: "at {title}",
  why: (dialect) =>
    ofConversations(dialect) ?? ownModels[dialect.reader] ?? (dialect.name === "mistral" ? mistral : undefined),
});

/** A test of usage.ts. */
export const counts = (
  test: string,
  more: { readonly why?: Why; readonly onlyStreamed?: string } = {},
): DialectHold => ({
  test,
  ...more,
});

export const withOneUsage: Why = ({ usage }) =>
  Buffer.from(usage.wire({ a: 1 }, {})).equals(Buffer.from(usage.wire({}))) ? "the API reports usage once" : undefined;

export const withoutTotal: Why = ({ usage }) => (usage.names.total ? undefined : "the API reports no total of tokens");

/** A case of `Dialect.content`. */
export const contains = (name: "a turn that the provider paused"): DialectHold => ({
  test: `carries ${name}, and sends them back unchanged`,
  under: "the {title} API",
  why({ content }) {
    const entry = content.answers[name];
    return isApplicable(entry) ? undefined : entry.why;
  },
});

/** A test of odd-answers.test.ts. */
export const odd = (test: string): DialectHold => ({
  test,
  under: "odd responses of {title}",
  why: ({ reader }) =>
    reader === "bedrock" ? "events of Converse are frames of AWS alone, whose types state each field" : undefined,
});

/** The test of all members of the vendor's types. */
export const publishes: DialectHold = {
  test: "are carried or named in a warning with each of their members",
  under: "the published types of {title}",
  why: (dialect) =>
    publishedApis.some((api) => api.dialect === titleOf(dialect))
      ? undefined
      : "the vendor publishes no types of its own, or those of an API that has them",
};

/** The laws over generated responses. */
export const keepsLaws: DialectHold = {
  test: "keeps the laws of stream, fold and silence for generated responses, {form}",
  under: "the {title} API",
};
