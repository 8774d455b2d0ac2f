import { eventFrame } from "../../support/event-stream.ts";
import * as anthropic from "../fixtures/anthropic-wire.ts";
import * as bedrock from "../fixtures/bedrock-wire.ts";
import { event as chatEvent, done, plainUsage } from "../fixtures/chat-completions.ts";
import { chunk as googleChunk, sse as googleSse } from "../fixtures/generate-content.ts";
import * as responses from "../fixtures/openai-responses.ts";
import { type Answer, arranged, type Block, reasonOf, type Writer, wholeOf } from "./answer.ts";

/** Content of a mark that `extras` of a writer makes. */
function extraOf({ extras }: Pick<Writer, "extras">, { at, mark }: Extract<Block, { kind: "extra" }>): object {
  return extras[at]?.(mark) ?? {};
}

const url = (mark: string): string => `https://a.example/${mark}`;

const claudeReasons = { stop: "end_turn", calls: "tool_use", length: "max_tokens" };
const chatReasons = { stop: "stop", calls: "tool_calls", length: "length" };

const anthropicWriter: Writer = {
  hasParts: true,
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "no reason", "cut"],
  extras: [
    (mark) => ({ type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: mark } }),
    (mark) => ({ type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [{ url: url(mark) }] }),
    (mark) => ({ type: "redacted_thinking", data: mark }),
    (mark) => ({ type: "text", text: "Hi", citations: [{ type: "web_search_result_location", url: url(mark) }] }),
    (mark) => ({ type: "a_future_block", value: mark }),
  ],
  write(answer) {
    const events = answer.blocks.map((block, index): readonly anthropic.Event[] => {
      const { stop, begin, more } = anthropic;
      switch (block.kind) {
        case "text":
          return anthropic.text(index, ...block.pieces);
        case "thought": {
          const thinking = block.pieces.map((piece) => more(index, { type: "thinking_delta", thinking: piece }));
          const signature = block.signature
            ? [more(index, { type: "signature_delta", signature: block.signature })]
            : [];
          return [begin(index, { type: "thinking", thinking: "" }), ...thinking, ...signature, stop(index)];
        }
        case "call": {
          const input = block.pieces.map((piece) => more(index, anthropic.json(piece)));
          return [begin(index, anthropic.tool(block.id, block.name)), ...input, stop(index)];
        }
        case "extra":
          return [begin(index, extraOf(anthropicWriter, block)), stop(index)];
        default:
          return block satisfies never;
      }
    });
    const begun = anthropic.start(answer.hasUsage ? { input_tokens: 12, output_tokens: 1 } : null);
    if (answer.end === "cut") return anthropic.sse(begun, ...arranged(answer, events));
    if (answer.end === "no reason") return anthropic.sse(begun, ...arranged(answer, events), { type: "message_stop" });
    const end = anthropic.end(reasonOf(answer, claudeReasons), {}, answer.hasUsage ? { output_tokens: 4 } : null);
    return anthropic.sse(begun, ...arranged(answer, events), ...end);
  },
};

const bedrockWriter: Writer = {
  hasParts: true,
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "cut"],
  extras: [
    (mark) => ({ delta: { text: "Hi" }, citation: { location: { web: { url: url(mark) } } } }),
    (mark) => ({ delta: { reasoningContent: { redactedContent: mark } } }),
    (mark) => ({ start: { toolUse: { toolUseId: "s_1", name: "nova_grounding", type: mark } } }),
    (mark) => ({ delta: { [mark]: { value: 1 } } }),
  ],
  write(answer) {
    const frames = answer.blocks.map((block, index): readonly Uint8Array[] => {
      switch (block.kind) {
        case "text":
          return block.pieces.map((piece) => bedrock.text(index, piece));
        case "thought": {
          const signature = block.signature ? [bedrock.reasoning(index, { signature: block.signature })] : [];
          return [...block.pieces.map((piece) => bedrock.reasoning(index, { text: piece })), ...signature];
        }
        case "call": {
          const input = block.pieces.map((piece) => bedrock.input(index, piece));
          return [bedrock.toolUse(index, block.id, block.name), ...input];
        }
        case "extra": {
          const { citation, ...more }: { citation?: object } = extraOf(bedrockWriter, block);
          const type = "start" in more ? "contentBlockStart" : "contentBlockDelta";
          const cited = citation ? [bedrock.delta(index, { citation })] : [];
          return [eventFrame(type, { contentBlockIndex: index, ...more }), ...cited];
        }
        default:
          return block satisfies never;
      }
    });
    if (answer.end === "cut") return bedrock.answer(...arranged(answer, frames));
    const end = [bedrock.stop(reasonOf(answer, claudeReasons)), ...(answer.hasUsage ? [bedrock.metadata()] : [])];
    return bedrock.answer(...arranged(answer, frames), ...end);
  },
};

const chatWriter: Writer = {
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "no reason", "cut"],
  extras: [
    (mark) => ({
      annotations: [{ type: "url_citation", url_citation: { url: url(mark), start_index: 0, end_index: 1 } }],
    }),
    (mark) => ({ images: [{ type: "image_url", image_url: { url: url(mark) } }] }),
    (mark) => ({ plan: { steps: mark } }),
  ],
  write: (answer) => writeChat(answer, chatWriter, (pieces) => pieces.map((piece) => ({ reasoning_content: piece }))),
};

const mistralWriter: Writer = {
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "no reason", "cut"],
  extras: [
    (mark) => ({ content: [{ type: "tool_reference", tool: "web_search", title: "A", url: url(mark) }] }),
    (mark) => ({ content: [{ type: "image_url", image_url: url(mark) }] }),
    (mark) => ({ content: [{ type: "a_future_chunk", value: mark }] }),
  ],
  write: (answer) =>
    writeChat(answer, mistralWriter, (pieces, signature) => {
      const thinking = pieces.map((piece) => ({ type: "thinking", thinking: [{ type: "text", text: piece }] }));
      const signed = signature ? [{ type: "thinking", thinking: [], signature }] : [];
      return [...thinking, ...signed].map((part) => ({ content: [part] }));
    }),
};

/** Writes chunks of Chat Completions, with the vendor's own deltas for reasoning. */
function writeChat(
  answer: Answer,
  writer: Writer,
  thought: (pieces: readonly string[], signature: string | undefined) => readonly object[],
): string {
  let calls = 0;
  const deltasOf = (block: Block): readonly object[] => {
    switch (block.kind) {
      case "text":
        return block.pieces.map((content) => ({ content }));
      case "thought":
        return thought(block.pieces, block.signature);
      case "call": {
        const index = calls++;
        const begun = { index, id: block.id, type: "function", function: { name: block.name, arguments: "" } };
        const pieces = block.pieces.map((piece) => ({ index, function: { arguments: piece } }));
        return [begun, ...pieces].map((call) => ({ tool_calls: [call] }));
      }
      case "extra":
        return [extraOf(writer, block)];
      default:
        return block satisfies never;
    }
  };
  // Only calls have an index.
  const others = answer.blocks.filter(({ kind }) => kind !== "call" || !answer.interleaved);
  const byTurns = answer.blocks.filter((block) => !others.includes(block));
  const deltas = [...others.flatMap(deltasOf), ...arranged(answer, byTurns.map(deltasOf))];
  const chunk = (delta: object, finish_reason: string | null) =>
    chatEvent({ choices: [{ index: 0, delta, finish_reason }] });
  const begun = [{ role: "assistant" }, ...deltas].map((delta) => chunk(delta, null)).join("");
  if (answer.end === "cut") return begun;
  const reason = answer.end === "no reason" ? null : reasonOf(answer, chatReasons);
  return begun + chunk({}, reason) + (answer.hasUsage ? chatEvent({ choices: [], usage: plainUsage }) : "") + done;
}

const googleReasons = { stop: "STOP", calls: "STOP", length: "MAX_TOKENS" };

const googleWriter: Writer = {
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "cut"],
  hasObjects: true,
  extras: [
    (mark) => ({ executableCode: { language: "PYTHON", code: mark } }),
    (mark) => ({ inlineData: { mimeType: "image/png", data: mark } }),
    (mark) => ({ [mark]: { value: 1 } }),
  ],
  write(answer) {
    const parts = answer.blocks.flatMap((block): readonly object[] => {
      switch (block.kind) {
        case "text":
          return block.pieces.map((text) => ({ text }));
        case "thought": {
          const signed = block.signature ? [{ text: "", thought: true, thoughtSignature: block.signature }] : [];
          return [...block.pieces.map((text) => ({ text, thought: true })), ...signed];
        }
        case "call":
          return [{ functionCall: { id: block.id, name: block.name, args: JSON.parse(wholeOf(block)) } }];
        case "extra":
          return [extraOf(googleWriter, block)];
        default:
          return block satisfies never;
      }
    });
    const chunks = parts.map((part) => googleChunk([part]));
    const usage = { usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2, totalTokenCount: 9 } };
    return googleSse(
      ...chunks,
      ...(answer.end === "cut" ? [] : [googleChunk([], reasonOf(answer, googleReasons), answer.hasUsage ? usage : {})]),
    );
  },
};

function cohereEvent(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const cohereReasons = { stop: "COMPLETE", calls: "TOOL_CALL", length: "MAX_TOKENS" };

const cohereWriter: Writer = {
  hasParts: true,
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "cut"],
  extras: [(mark) => ({ [mark]: "x" })],
  write(answer) {
    const events = answer.blocks.map((block, index): readonly string[] => {
      const content = (type: string, part: object) =>
        cohereEvent(type, { index, delta: { message: { content: part } } });
      const call = (type: string, tool_calls: object) =>
        cohereEvent(type, { index, delta: { message: { tool_calls } } });
      switch (block.kind) {
        case "text":
        case "thought": {
          const field = block.kind === "text" ? "text" : "thinking";
          const pieces = block.pieces.map((piece) => content("content-delta", { [field]: piece }));
          return [
            content("content-start", { type: field, [field]: "" }),
            ...pieces,
            cohereEvent("content-end", { index }),
          ];
        }
        case "call": {
          const begun = { id: block.id, type: "function", function: { name: block.name, arguments: "" } };
          const pieces = block.pieces.map((piece) => call("tool-call-delta", { function: { arguments: piece } }));
          return [call("tool-call-start", begun), ...pieces, cohereEvent("tool-call-end", { index })];
        }
        case "extra":
          return [content("content-start", extraOf(cohereWriter, block))];
        default:
          return block satisfies never;
      }
    });
    const begun = cohereEvent("message-start", { id: "c1", delta: { message: { role: "assistant" } } });
    const usage = { usage: { tokens: { input_tokens: 69, output_tokens: 4 } } };
    const delta = { finish_reason: reasonOf(answer, cohereReasons), ...(answer.hasUsage && usage) };
    return [
      begun,
      ...arranged(answer, events),
      ...(answer.end === "cut" ? [] : [cohereEvent("message-end", { delta })]),
    ].join("");
  },
};

const completionsWriter: Writer = {
  kinds: ["text"],
  ends: ["reason", "cut"],
  extras: [],
  write({ blocks, end, hasUsage }) {
    const texts = blocks.flatMap((block) => (block.kind === "text" ? block.pieces : []));
    const output = (text: string, more: object) => {
      const none = { num_prompt_tokens: null, num_completion_tokens: null, token: null };
      return `data: ${JSON.stringify({ request_id: "c4bf", output: { text, finished: false, ...none, ...more }, error: null })}\n\n`;
    };
    const counts = hasUsage ? { num_prompt_tokens: 7, num_completion_tokens: 2 } : {};
    const last = end === "cut" ? "" : output("", { finished: true, ...counts });
    return texts.map((text) => output(text, {})).join("") + last;
  },
};

const responsesWriter: Writer = {
  hasParts: true,
  kinds: ["text", "thought", "call"],
  ends: ["reason", "length", "no reason", "cut"],
  extras: [
    (mark) => ({ id: "ws_1", type: "web_search_call", status: "completed", action: { type: "search", query: mark } }),
    (mark) => ({ id: "ci_1", type: "code_interpreter_call", code: "1", outputs: [{ type: "logs", logs: mark }] }),
    (mark) => ({ id: "mcpl_1", type: "mcp_list_tools", server_label: mark, tools: [] }),
    (mark) => ({ id: "fi_1", type: "a_future_item", value: mark }),
  ],
  write(given) {
    const items = given.blocks.map((block): responses.Shown => {
      switch (block.kind) {
        case "text":
          return responses.message(block.pieces);
        case "thought":
          return responses.reasoning([block.pieces], block.signature);
        case "call":
          return responses.call(block.id, block.name, block.pieces);
        case "extra":
          return responses.whole({ ...extraOf(responsesWriter, block) });
        default:
          return block satisfies never;
      }
    });
    const events = [...responses.begun(), ...arranged(given, items.map(responses.eventsOf))];
    const usage = given.hasUsage ? responses.usage : null;
    if (given.end === "cut") return responses.sse(...events);
    const isLong = given.end === "length";
    const incomplete_details = isLong ? { reason: "max_output_tokens" } : null;
    const end = { status: given.end === "no reason" ? null : isLong ? "incomplete" : "completed", incomplete_details };
    const type = isLong ? "response.incomplete" : "response.completed";
    const response = responses.responseOf(
      items.map(({ item }) => item),
      { usage, response: end },
    );
    return responses.sse(...events, { ...{ response }, type });
  },
};

/** The writer of each reader of `Dialect.reader`. */
export const writers: Readonly<Record<string, Writer>> = {
  anthropic: anthropicWriter,
  bedrock: bedrockWriter,
  "chat-completions": chatWriter,
  cohere: cohereWriter,
  "generate-content": googleWriter,
  "llm-engine-completions": completionsWriter,
  mistral: mistralWriter,
  "openai-responses": responsesWriter,
};
