import { isApplicable } from "../dialect.ts";
import { contains, converses, counts, type FileHold, type Kind, keepsLaws, publishes, withoutTotal } from "./kind.ts";

const file = (name: string, test: RegExp): FileHold => ({ file: `test/${name}.test.ts`, test });

/** A test that does not exist yet, or whose name is a guess. */
const expected = (name: string, test: RegExp): FileHold => ({ ...file(name, test), unconfirmed: true });

const contentFilter = { test: "reports an error of a content filter as a finish reason, {form}" };
const acceptedIds = converses("sends ids that the API accepts, the same for a call and its result");
const inOrder = converses("sends the results of a turn in the order of its calls, before other messages");
const carried = file(
  "contract/laws",
  /^is accepted back by every API, turn after turn, with its texts, calls and results$/,
);

/** Kinds of faults in translations, with the tests that hold each. A new kind is a row. */
export const kinds: Readonly<Record<string, readonly Kind[]>> = {
  "A response can be sent back": [
    {
      sentence: "Call ids may repeat in a later turn, and a result belongs to the nearest call before it.",
      holds: [
        converses("accepts ids that repeat in a later turn, and pairs each result with the nearest call"),
        carried,
      ],
    },
    {
      sentence: "Arguments that are no JSON object are accepted back.",
      holds: [converses("accepts arguments of a model that are no JSON object"), carried],
    },
    {
      sentence: "A response without content is accepted back.",
      holds: [
        { reads: "empty text" },
        keepsLaws,
        carried,
        {
          test: "is accepted back and leaves the conversation intact, {title}",
          under: "a response without parts",
          why({ answers }) {
            const empty = answers["empty text"];
            return isApplicable(empty) ? undefined : empty.why;
          },
        },
      ],
    },
    {
      sentence: "Long call ids, long tool names and messages with null content are accepted back.",
      holds: [
        acceptedIds,
        file("calls/tool-names", /^restores each name exactly/),
        file("surfaces/openai-shape/request", /^accepts the messages of its own responses in OpenAI's API$/),
      ],
    },
    {
      sentence: "A turn that the provider paused is carried and can be continued.",
      holds: [contains("a turn that the provider paused", "no response of the API pauses a turn")],
    },
    { sentence: "Two calls with one id stay two calls.", holds: [{ reads: "two tool calls with one id" }, keepsLaws] },
    {
      sentence: "Arguments after an empty object, in pieces, or in a deprecated field are one call.",
      holds: [
        { reads: "an empty object before the arguments" },
        file("providers/chat-completions/events", /^reads the deprecated function_call/),
        file("providers/generate-content/gemini", /^reads a tool call whose arguments arrive in pieces/),
      ],
    },
  ],
  "Matching and order": [
    { sentence: "Results are sent in the order of their calls, and paired by id.", holds: [inOrder, carried] },
    { sentence: "Results come before the other messages of their turn.", holds: [inOrder] },
  ],
  Unicode: [
    {
      sentence: "Halves of a character in two deltas are joined.",
      holds: [{ reads: "halves of a character in two deltas" }, keepsLaws],
    },
    {
      sentence: "A lone half in a request becomes U+FFFD, with a warning.",
      holds: [converses("sends halves of a character in JSON text as U+FFFD, with a warning")],
    },
  ],
  Numbers: [
    {
      sentence: "Cached tokens count under every name that a provider gives them.",
      holds: [counts("reports usage totals that include cached tokens and reasoning")],
    },
    {
      sentence: "A total above the sum of its counts has hidden output.",
      holds: [
        counts("counts the tokens of a total above its counts as output, such as hidden reasoning", {
          why: withoutTotal,
        }),
      ],
    },
    {
      sentence: "The last of several usages counts.",
      holds: [
        counts("takes the last of several usages of a stream", { onlyStreamed: "a whole response reports usage once" }),
      ],
    },
    {
      sentence: "Usage that a provider does not report is estimated, and never exact.",
      holds: [
        counts("estimates the usage that the provider reports as empty"),
        counts("never reports exact usage, or a part above its total, if the provider reports neither"),
        counts("keeps a total that is reported alone", { why: withoutTotal }),
        keepsLaws,
      ],
    },
    {
      sentence: "A count above 2^31-1 is limited, and is then an estimate.",
      holds: [file("providers/kit/usage", /^limits each count to 2\^31-1/)],
    },
    {
      sentence: "A stop sequence ends the text, also if the API has none.",
      holds: [
        { reads: "a matched stop sequence" },
        file("contract/stops", /^sends what the API accepts, and ends the response at the others: 16 of all kinds$/),
        file("chat/stream/cut-at-stops", /^has the text before the first stop sequence/),
      ],
    },
    {
      sentence: "Profile deepinfra accepts max_tokens 0 everywhere.",
      holds: [file("chat/planning/profile", /^deepinfra accepts .*maxOutputTokens/)],
    },
  ],
  "Success, failure and finish reasons": [
    {
      sentence: "A whole response without a finish reason is a response.",
      holds: [{ reads: "a missing finish reason" }, keepsLaws],
    },
    {
      sentence: "A finish reason that objects to a call keeps the call.",
      holds: [
        file(
          "providers/generate-content/gemini",
          /^returns the tool calls of a response with the finish reason UNEXPECTED_TOOL_CALL$/,
        ),
      ],
    },
    { sentence: "A content filter inside HTTP 200 is a finish reason, as with HTTP 400.", holds: [contentFilter] },
    {
      sentence: "A tool call that the provider rejects is TOOL_CALL_INVALID with the model's words.",
      holds: [file("server/tool-call-failure", /^has status 400 and the tool call in OpenAI's API/)],
    },
    {
      sentence: "The finish reason fits the content.",
      holds: [{ reads: "tool calls reported without a call" }, { reads: "a normal end after a tool call" }, keepsLaws],
    },
    {
      sentence: "A misspelled model is MODEL_NOT_FOUND.",
      holds: [file("providers/chat-completions/adaptations", /^rejects Responses API models/)],
    },
    { sentence: "A prompt that a policy rejects is a filtered prompt.", holds: [contentFilter] },
  ],
  "Nothing is lost or rejected on the way": [
    {
      sentence: "Every block of a response is carried or named in a warning.",
      holds: [
        publishes,
        keepsLaws,
        { reads: "citations" },
        { reads: "sources without a position" },
        { reads: "media in the response" },
        { reads: "a tool that the provider runs" },
        { reads: "facts without a field" },
      ],
    },
    {
      sentence: "Every member of a known block, and every count of a usage, is carried or named in a warning.",
      holds: [
        {
          test: "is carried or named in a warning, and does not fail the response, {form}",
          under: "an unknown member of a known block of {title}",
        },
      ],
    },
    {
      sentence: "Models that require their reasoning back get it in every turn.",
      holds: [expected("contract/conversations", /reasoning.*(every|each) (assistant )?(turn|message)/)],
    },
    {
      sentence: "Reasoning effort beside tools is sent only to models that accept both.",
      holds: [expected("providers/chat-completions/adaptations", /effort.*tools/)],
    },
    {
      sentence: "A schema is sent in the shape that the API accepts, and otherwise adapted with a warning.",
      holds: [expected("contract/schemas", /schema/)],
    },
    {
      sentence: "Prompt cache breakpoints reach a model at every host that accepts them.",
      holds: [expected("providers/chat-completions/servers/openrouter", /cache/)],
    },
    { sentence: "Call ids that are too long for an API are mapped there and back.", holds: [acceptedIds] },
    {
      sentence: "Adaptive thinking does not exclude a required tool.",
      holds: [expected("providers/anthropic/anthropic", /tool choice.*adaptive|adaptive.*tool/)],
    },
    {
      sentence: "A model that has JSON Schema gets it natively at every host.",
      holds: [expected("providers/bedrock/request", /schema.*(native|without emulation)|native.*schema/)],
    },
    {
      sentence: "Every thinking model gets its reasoning budget.",
      holds: [expected("providers/anthropic/anthropic", /3[.-]7/)],
    },
    {
      sentence: "Media types are normalized, and compared with the first bytes.",
      holds: [expected("contract/media", /media type|bytes/)],
    },
    {
      sentence: "Blank text is left out or rejected where the API rejects it.",
      holds: [
        converses("sends no text that the API rejects"),
        converses("rejects a last user message of only text that the API rejects"),
      ],
    },
    {
      sentence: "OpenAI's API accepts the fields that servers and clients add.",
      holds: [expected("surfaces/openai-shape/request", /(accepts|translates).*(top_k|extra fields|open servers)/)],
    },
    {
      sentence: "The order of roles follows the model's family at every host.",
      holds: [expected("contract/conversations", /role.*(family|Mistral)|Mistral.*role/)],
    },
    {
      sentence: "Templates of published tokenizers render with their usual variables.",
      holds: [expected("templates/render-strictly", /bos_token|add_generation_prompt/)],
    },
    {
      sentence: "Without max_tokens the limit is the model's, except where an API documents another.",
      holds: [expected("behaviours/h-lengths", /^behaviour/)],
    },
    {
      sentence: "Cerebras streams end with usage and time_info.",
      holds: [expected("surfaces/openai-shape/response", /Cerebras.*(usage|times)|usage and times last/)],
    },
    {
      sentence: "Parts and deployments are accepted as Scale's SDK writes them.",
      holds: [expected("surfaces/egp-deployment/chat", /SDK/)],
    },
    {
      sentence: "Documents and videos by URL, and several allowed functions, are sent.",
      holds: [
        expected("contract/media", /URL|video/),
        expected("providers/generate-content/gemini", /several.*function/),
      ],
    },
    {
      sentence: "Provider options can set Anthropic's betas.",
      holds: [
        file("providers/anthropic/content", /^cannot be /),
        file("contract/content", /^sends tools that the provider runs$/),
      ],
    },
    {
      sentence: "A cache hint that is lost has a warning.",
      holds: [
        expected("calls/plan", /^warns about a lost cache hint/),
        expected("calls/plan-losses", /^warns about each lost/),
      ],
    },
    {
      sentence: "A warning about streams is only on streams.",
      holds: [expected("chat/planning/profile", /^rejects a streamed JSON object only with cerebras$/)],
    },
    {
      sentence: "Proxies of the environment and of a provider are used.",
      holds: [expected("upstream/proxy", /proxy/i)],
    },
    {
      sentence: "A stale pooled connection is replaced once.",
      holds: [expected("upstream/http", /stale|fresh (socket|connection)|reset before/)],
    },
    {
      sentence: "Bodies in unusual but legal forms are understood, or named.",
      holds: [expected("upstream/http", /100 Continue|gzip|byte order mark|HTML|text\/plain/)],
    },
  ],
};
