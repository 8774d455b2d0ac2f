/** Document or package from which facts about models come. */
export interface Source {
  /**
   * Address of the document, or package with its version, and which facts it states if it is one of several sources.
   */
  readonly from: string;
  /** Day on which somebody last compared the facts with the source, as `2026-11-28`. */
  readonly read: string;
}

/** Facts about models. They age, so every table of them names its sources. */
export interface Knowledge {
  /** What the facts are about, such as `reasoning efforts of OpenAI's models`. */
  readonly about: string;
  readonly sources: readonly [Source, ...Source[]];
}
