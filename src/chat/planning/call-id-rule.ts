/** Tool call ids that a provider accepts. */
export interface CallIdRule {
  /** Default 1. */
  readonly minLength?: number;
  readonly maxLength: number;
  /** Characters that an id may have besides letters and digits. Undefined: all. */
  readonly punctuation?: string;
}
