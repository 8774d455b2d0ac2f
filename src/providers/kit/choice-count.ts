import { unusableAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** Maximum number of choices of a response: that of GenerationParameters.n. Each choice holds memory until the end. */
const mostChoices = 128;

/** Throws PROVIDER_FAULT if a response that has `count` choices begins one too many. */
export function checkChoiceCount(count: number, call: UpstreamCall): void {
  if (count >= mostChoices) throw unusableAnswer(call, `it has more than ${mostChoices} choices`);
}
