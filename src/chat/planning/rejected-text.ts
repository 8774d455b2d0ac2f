/** Texts that a provider rejects: those without a character, or also those of blanks only. */
export type RejectedText = "empty" | "blank";
