/** Function names that a provider accepts. */
export interface ToolNameRule {
  /** Default 1. */
  readonly minLength?: number;
  readonly maxLength: number;
  /** Characters that a name may have besides letters and digits. `_` must be one of them. */
  readonly punctuation: string;
  /** Whether a name must begin with a letter or `_`. */
  readonly beginsWithLetter: boolean;
}
