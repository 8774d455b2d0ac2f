import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type ConversationRules, type Dialect, headingOf, isApplicable } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { type Messages, send } from "./send-conversation.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });

/** A PNG image that differs from every other number's. */
const pngOf = (number: number) => Buffer.from(`\x89PNG\r\n\x1a\n\0\0\0\rIHDR<${number}>`, "latin1");

const image = (number: number) => ({
  kind: {
    case: "media" as const,
    value: { source: { case: "data" as const, value: pngOf(number) }, mediaType: "image/png" },
  },
});

/** Results of one turn: for each call, what its result has. `apart`: each result is a message of its own. */
interface Turn {
  readonly results: readonly (readonly ("text" | "image")[])[];
  readonly apart: boolean;
  readonly next: "user" | "assistant";
}

const turns = fc.array(
  fc.record<Turn>({
    results: fc.array(fc.array(fc.constantFrom("text", "image"), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
    apart: fc.boolean(),
    next: fc.constantFrom("user", "assistant"),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Writes turns as messages. The images have the numbers 1, 2, 3, … in the order of the conversation. */
function written(played: readonly Turn[]): { readonly messages: Messages; readonly images: readonly string[] } {
  const images: string[] = [];
  const messages = played.flatMap(({ results, apart, next }, round): Messages[number][] => {
    const ids = results.map((_, place) => `call${String(round * 10 + place).padStart(5, "0")}`);
    const calls = ids.map((id) => ({ kind: { case: "toolCall" as const, value: { id, name: "look" } } }));
    const base = 2 * round + 1;
    const done = ids.map((toolCallId, place) => {
      const parts = (results[place] ?? []).map((kind) => {
        if (kind === "text") return text("seen");
        images.push(pngOf(images.length + 1).toString("base64"));
        return image(images.length);
      });
      return { kind: { case: "toolResult" as const, value: { toolCallId, parts } } };
    });
    const answers = apart
      ? done.map((part) => ({ role: Role.TOOL, parts: [part] }))
      : [{ role: Role.TOOL, parts: done }];
    const turn = [{ role: Role.ASSISTANT, parts: calls }, ...answers];
    return [...turn, next === "user" ? { role: Role.USER, parts: [text(`go on ${base}`)] } : assistantText(base)];
  });
  return { messages: [{ role: Role.USER, parts: [text("begin")] }, ...messages], images };
}

const assistantText = (number: number) => ({ role: Role.ASSISTANT, parts: [text(`well ${number}`)] });

/** Capabilities are of single models: a model that is known to take no images is another matter. */
const anyModel = (dialect: Dialect): Dialect => {
  const { capabilities: _, ...model } = dialect.model;
  return { ...dialect, model };
};

for (const dialect of dialects) {
  const { conversation: rules } = dialect;
  if (isApplicable(rules)) describe(headingOf(dialect), () => describeResultMedia(anyModel(dialect), rules));
}

function describeResultMedia(dialect: Dialect, rules: ConversationRules): void {
  it("gets each image of tool results once, after all results of the turn or in its own", async () => {
    if (!(await takesImages(dialect, rules))) return expectRejected(dialect, rules);
    await fc.assert(
      fc.asyncProperty(turns, async (played) => {
        const { messages, images } = written(played);
        const ended = [...messages, { role: Role.USER, parts: [text("end")] }];
        const { body, items, plan } = await send(dialect, rules, ended);
        // Each image is there once, in the order of the conversation.
        const places = images.map((data) => body.indexOf(data));
        expect(places).toEqual([...places].sort((one, other) => one - other));
        for (const data of images) expect(body.split(data)).toHaveLength(2);
        // The results of a turn come directly after its calls.
        const kinds = items.map(({ kind }) => kind[0]).join("");
        const expected = played.map(({ results }) => `${"c".repeat(results.length)}${"r".repeat(results.length)}`);
        expect(kinds.match(/c+r+/g)).toEqual(expected);
        // A warning names each image that is moved, and a text in its result says where it is.
        const moved = plan.warnings.filter(({ message }) => message.includes("media in tool results"));
        expect([0, images.length]).toContain(moved.length);
        expect(body.split("is in the next user message)")).toHaveLength(moved.length + 1);
        const fields = moved.map(({ reason, field }) => `${reason} ${field}`);
        expect(new Set(fields).size).toBe(moved.length);
        for (const field of fields) {
          expect(field).toMatch(/^EMULATED messages\[\d+\]\.parts\[\d\]\.tool_result\.parts\[\d\]\.media$/);
        }
        // What is sent of the beginning does not depend on what follows, as prompt caches require.
        const longer = [...ended, assistantText(0), { role: Role.USER, parts: [text("more")] }];
        expect((await send(dialect, rules, longer)).items.slice(0, items.length)).toEqual(items);
      }),
      { numRuns: 10 },
    );
  });
}

async function takesImages(dialect: Dialect, rules: ConversationRules): Promise<boolean> {
  const asked = send(dialect, rules, [{ role: Role.USER, parts: [image(1)] }]);
  return asked.then(
    () => true,
    (error) => {
      if (!(error instanceof GatewayError)) throw error;
      return false;
    },
  );
}

/** An API that takes no images in any message rejects them in results too, with their field. */
async function expectRejected(dialect: Dialect, rules: ConversationRules): Promise<void> {
  const { messages } = written([{ results: [["text", "image"]], apart: false, next: "user" }]);
  await expect(send(dialect, rules, messages)).rejects.toMatchObject({
    reason: "UNSUPPORTED_PARAMETER",
    facts: { fields: [{ field: ["messages", 2, "parts", 0, "tool_result", "parts", 1, "media"] }] },
  });
}
