import { describe, expect, it } from "vitest";
import { ask } from "../support/requests.ts";
import { titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { planFor } from "./send-conversation.ts";

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the $title API", ({ dialect }) => {
  it("sends stop sequences, or Dragoman ends the text at them", async () => {
    const stopSequences = ["stop-one", "stop-two"];
    const { plan, body } = await planFor(dialect, ask(dialect.model.id, "hello", { parameters: { stopSequences } }));
    const isSent = stopSequences.every((stop) => body.includes(stop));
    expect(plan.stops).toEqual(isSent ? [] : stopSequences);
    const warnings = plan.warnings.filter(({ field }) => field === "parameters.stop_sequences");
    expect(warnings.map(({ reason }) => reason)).toEqual(isSent ? [] : ["EMULATED"]);
  });
});
