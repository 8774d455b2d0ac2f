import { type CaseName, type Dialect, isApplicable } from "../dialect.ts";
import { publishedApis } from "../published/apis.ts";

/** Why a kind cannot happen at a provider API; undefined if it can. */
type Why = (dialect: Dialect) => string | undefined;

/** What holds a kind of fault for every provider API: each one has the test, or a reason. */
export type DialectHold =
  /** The contract case, in each form. */
  | { readonly reads: CaseName }
  /** A test by its name, in which `{form}` and `{title}` stand for the form and the provider API. */
  | {
      readonly test: string;
      /** The enclosing `describe`. Default: that of the provider API. */
      readonly under?: string;
      readonly why?: Why;
      /** Why the test holds nothing for whole responses. Default: it holds both forms. */
      readonly onlyStreamed?: string;
    };

/** A test that holds a kind for all provider APIs at once. */
export interface FileHold {
  readonly file: string;
  /** Matches the name of the test. */
  readonly test: RegExp;
  /** Whether nobody has confirmed yet that the test holds the kind. Its name is then a guess. */
  readonly unconfirmed?: true;
}

/** A kind of fault, said as what must hold, and the tests that hold it. */
export interface Kind {
  readonly sentence: string;
  readonly holds: readonly (DialectHold | FileHold)[];
}

const ofConversations: Why = ({ conversation }) => (isApplicable(conversation) ? undefined : conversation.why);

/** A test of conversations.test.ts. */
export const converses = (test: string): DialectHold => ({ test, why: ofConversations });

/** A test of usage.ts. */
export const counts = (
  test: string,
  more: { readonly why?: Why; readonly onlyStreamed?: string } = {},
): DialectHold => ({
  test,
  ...more,
});

export const withoutTotal: Why = ({ usage }) => (usage.names.total ? undefined : "the API reports no total of tokens");

/** A case of `Dialect.content`. */
export const contains = (name: "a turn that the provider paused", otherwise: string): DialectHold => ({
  test: `carries ${name}, and sends them back unchanged`,
  under: "the {title} API",
  why({ content }) {
    const entry = content?.answers[name];
    if (entry === undefined) return otherwise;
    return isApplicable(entry) ? undefined : entry.why;
  },
});

/** The test of all members of the vendor's types. */
export const publishes: DialectHold = {
  test: "are carried or named in a warning with each of their members",
  under: "the published types of {title}",
  why: ({ name, variant }) =>
    publishedApis.some(({ dialect }) => dialect === name && variant === undefined)
      ? undefined
      : "the vendor publishes no types of its own, or those of an API that has them",
};

/** The laws over generated responses. */
export const keepsLaws: DialectHold = {
  test: "keeps the laws of stream, fold and silence for generated responses, {form}",
  under: "the {title} API",
};
