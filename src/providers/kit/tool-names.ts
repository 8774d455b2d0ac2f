import type { ToolNameRule } from "../../chat/planning/tool-name-rule.ts";

/** OpenAI's rule: at most 64 letters, digits, `_` and `-`. Most other APIs have the same. */
export const openAiToolNames: ToolNameRule = { maxLength: 64, punctuation: "_-", beginsWithLetter: false };
