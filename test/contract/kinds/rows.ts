import { isApplicable } from "../dialect.ts";
import {
  atHosts,
  contains,
  converses,
  counts,
  type FileHold,
  gets,
  getsWithTools,
  type Kind,
  keepsLaws,
  odd,
  publishes,
  withOneUsage,
  withoutTotal,
} from "./kind.ts";

const file = (name: string, test: RegExp): FileHold => ({ file: `test/${name}.test.ts`, test });

const reportedOnce = "a whole response reports usage once";
const contentFilter = { test: "reports an error of a content filter as a finish reason, {form}" };
const acceptedIds = converses("sends ids that the API accepts, the same for a call and its result");
const inOrder = converses("sends the results of a turn in the order of its calls, before other messages");
const hinted = [
  gets("gets each cache hint on texts, or the caller a warning with its field"),
  getsWithTools("gets each cache hint on texts, tools, calls and results, or the caller a warning with its field"),
  getsWithTools("gets each cache hint on tools of which some are not allowed, or the caller a warning with its field"),
];
const mistralsOwn = "the API has only models of Mistral";
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
      holds: [contains("a turn that the provider paused")],
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
        counts("takes the last of several usages of a stream", { onlyStreamed: reportedOnce }),
        counts("keeps the counts of an earlier event if a later one has zeros for them", {
          why: withOneUsage,
          onlyStreamed: reportedOnce,
        }),
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
        ...["16 of all kinds", "only blank ones", "only long ones", "one more"].map((stops) => ({
          test: `sends what the API accepts, and ends the response at the others: ${stops}`,
          under: "stop sequences: {heading}",
        })),
        file("server/emulated-stops", /^ends a (whole )?(response|stream) (of|at) /),
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
        file("providers/kit/finish-reasons", /^[\w: ]+ is no failure of a response that has the calls$/),
      ],
    },
    { sentence: "A content filter inside HTTP 200 is a finish reason, as with HTTP 400.", holds: [contentFilter] },
    {
      sentence: "A tool call that the provider rejects is TOOL_CALL_INVALID with the model's words.",
      holds: [
        file("server/tool-call-failure", /^has status 400 and the tool call in OpenAI's API/),
        file("providers/kit/errors", /^report the invalid tool call of a model at .* with its text$/),
      ],
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
  "Responses in rare forms": [
    {
      sentence: "Arguments, ids, indices and finish words keep their meaning as JSON of another type, or missing.",
      holds: [
        odd("have the same meaning if the finish reason is in another case, {form}"),
        odd("give calls without ids new ones, {form}"),
        file("providers/kit/finish-reasons", /^".*" has its meaning, in upper and lower case$/),
        file(
          "providers/chat-completions/events",
          /^keeps the digits of arguments that are JSON and not its text, in a /,
        ),
        file("providers/chat-completions/events", /^gives an id without a name to the call in progress$/),
        file("providers/chat-completions/events", /^reads the index of a call as text$/),
        file("providers/chat-completions/events", /^of a whole response stay apart if their indices are /),
        file("providers/generate-content/gemini", /^keeps candidates without indices apart$/),
      ],
    },
    {
      sentence: "An empty error field is no error.",
      holds: [odd("are no failures if their field `error` is empty, {form}")],
    },
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
        file("contract/unknown-index", /^is carried, named or an error: /),
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
      holds: [
        { test: "sends the model's message back with its provider state, {form}" },
        atHosts("each turn of deepseek-v4-pro has its reasoning, or an empty one", mistralsOwn),
        atHosts("each turn of deepseek-ai/DeepSeek-V5-Pro has its reasoning, or an empty one", mistralsOwn),
        atHosts("each turn of mimo-v2.6-pro has its reasoning, or an empty one", mistralsOwn),
        atHosts("each turn of kimi-k2.6 that calls tools has its reasoning, or an empty one", mistralsOwn),
        atHosts("turns of llama-4-scout without reasoning have none", mistralsOwn),
        file(
          "providers/chat-completions/servers/servers",
          /^sends reasoning back with tool calls, even if it is empty/,
        ),
      ],
    },
    {
      sentence: "Reasoning effort beside tools is sent only to models that accept both.",
      holds: [
        file("providers/chat-completions/adaptations", /^sets effort none for .* with tools/),
        file("providers/chat-completions/adaptations", /^keeps the effort of .* with tools$/),
        file("providers/chat-completions/adaptations", /^rejects tools for .*, which has no effort none$/),
      ],
    },
    {
      sentence: "A schema is sent in the shape that the API accepts, and otherwise adapted with a warning.",
      holds: [
        gets("gets an output schema without the keywords that it rejects; Dragoman validates them, with a warning"),
        getsWithTools("gets a strict tool without the keywords that it rejects, with a warning"),
        getsWithTools("gets the parameters of a tool whose root has no type in a form that it accepts"),
        getsWithTools("gets the parameters of a tool whose root has alternatives in a form that it accepts"),
        getsWithTools("gets the parameters of a tool whose root has a reference in a form that it accepts"),
        file("contract/schemas", /^fails if it violates .*, which Claude does not know$/),
      ],
    },
    {
      sentence: "Prompt cache breakpoints reach a model at every host that accepts them.",
      holds: [
        ...hinted,
        file("contract/cache-hints", /^sends the cache hints of .* as the model takes them$/),
        file("providers/bedrock/cache-points", /^keeps the last four cache points for /),
      ],
    },
    { sentence: "Call ids that are too long for an API are mapped there and back.", holds: [acceptedIds] },
    {
      sentence: "Adaptive thinking does not exclude a required tool.",
      holds: [
        file("providers/anthropic/anthropic", /^forces tools together with adaptive thinking: /),
        file("providers/anthropic/anthropic", /^rejects forced tools together with a thinking budget$/),
        file("providers/bedrock/request", /^force tools together with adaptive thinking, but not with a budget$/),
      ],
    },
    {
      sentence: "A model that has JSON Schema gets it natively at every host.",
      holds: [
        gets("gets an output schema without the keywords that it rejects; Dragoman validates them, with a warning"),
        file("providers/bedrock/request", /^send the schema to .* unchanged, also with \$ref$/),
        file("providers/bedrock/request", /^are a capability of the listed models that support them$/),
      ],
    },
    {
      sentence: "Every thinking model gets its reasoning budget.",
      holds: [
        gets("gets a reasoning budget if it has a field for one, and otherwise the caller a warning"),
        file("providers/anthropic/anthropic", /^sends a thinking budget to Claude 3\.7$/),
        file("providers/claude-models", /^lets only Claude 3\.7 of Claude 3 think, within a budget$/),
      ],
    },
    {
      sentence: "Media types are normalized, and compared with the first bytes.",
      holds: [
        gets("gets the same for every name of a media type"),
        gets("gets the type that the bytes show, and the caller a warning"),
        file("surfaces/kit/body", /^understands base64 with /),
      ],
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
      holds: [
        {
          test: "are documented fields of OpenAI's API here, and none that ChatRequest has",
          under: "extra fields of {title}",
        },
        file("surfaces/openai-shape/extra-fields", /^are sent to [A-Z]+ for /),
        file("surfaces/openai-shape/extra-fields", /^are passed on to [A-Z]+: /),
        file("surfaces/openai-shape/extra-fields", /^are dropped with a warning that names them if /),
        file("surfaces/openai-shape/extra-fields", /^include prompt cache breakpoints of messages, parts and tools$/),
        file("surfaces/openai-shape/extra-fields", /^warn about the name of a tool message only if it is not that/),
      ],
    },
    {
      sentence: "The order of roles follows the model's family at every host.",
      holds: [
        inOrder,
        atHosts("an assistant message follows the tool results of mistralai/Mistral-Small-4-119B"),
        atHosts("an assistant message follows the tool results of accounts/x/models/mixtral-8x22b"),
        atHosts("an assistant message follows the tool results of Devstral-2"),
        atHosts("a user message follows the tool results of other families", mistralsOwn),
      ],
    },
    {
      sentence: "Templates of published tokenizers render with their usual variables.",
      holds: [
        file("templates/real-templates", /^renders exactly: /),
        file("templates/real-templates", /^writes the tools of the request and the date of chat_template_kwargs$/),
        file("templates/real-templates", /^has tools and documents, which are none without any$/),
        file("providers/llm-engine/chat-template", /^shows Mixtral's bos_token, which the engine renders$/),
      ],
    },
    {
      sentence: "Without max_tokens the limit is the model's, except where an API documents another.",
      holds: [
        file("behaviours/h-lengths", /^behaviour (117|118|119|120|121|123) /),
        file(
          "chat/planning/fit-window",
          /^sets a family's default output limit even if the context window is unknown$/,
        ),
        file("providers/anthropic/anthropic", /^always sends max_tokens: /),
      ],
    },
    {
      sentence: "Cerebras streams end with usage and time_info.",
      holds: [
        file("surfaces/openai-shape/response", /^omits usage and times from a stream only if include_usage is false$/),
        file(
          "surfaces/openai-shape/response",
          /^streams a role without text first, and finish reason, usage and times last$/,
        ),
      ],
    },
    {
      sentence: "Parts and deployments are accepted as Scale's SDK writes them.",
      holds: [
        file("surfaces/egp-chat/chat", /^takes parts and images without a type, as Scale's clients send them$/),
        file(
          "surfaces/egp-chat/chat",
          /^has the fields of the deployments API in each event, as Scale's clients read them$/,
        ),
        file(
          "surfaces/egp-deployment/chat",
          /^takes parts of the history without a type, as Scale's clients send them$/,
        ),
        file("surfaces/egp-deployment/chat", /^translates every field$/),
      ],
    },
    {
      sentence: "Documents and videos by URL, and several allowed functions, are sent.",
      holds: [
        gets("gets a PDF and a video by URL, or the caller an error with the field"),
        getsWithTools("gets several allowed functions, as a list or as the only tools"),
        file("contract/media", /^is sent to /),
        file("server/tools", /^becomes Gemini's allowedFunctionNames: /),
        file("surfaces/openai-shape/request", /^accepts files and videos by URL, as OpenRouter does$/),
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
        ...hinted,
        file("calls/plan", /^warns about a lost cache hint if the model supports no system messages$/),
        file("providers/bedrock/cache-points", /^warns about each cache hint for models without a prompt cache$/),
      ],
    },
    {
      sentence: "A warning about streams is only on streams.",
      holds: [
        { test: "reports output that it delivers as a whole, and only to callers that stream" },
        file("server/whole-streams", /^causes a warning only in streams: /),
      ],
    },
    {
      sentence: "Proxies of the environment and of a provider are used.",
      holds: [
        file("upstream/proxies", /^is reached through a tunnel, with the proxy's credentials$/),
        file(
          "upstream/proxies",
          /^is reached through the proxy of the environment, and not if its own setting is none$/,
        ),
        file("upstream/proxies", /^of (Entra ID|Google|AWS) go through the provider's proxy$/),
        file("upstream/proxies", /^is named in the error: /),
        file("config/proxy", /^for .* is /),
        file("config/proxy", /^is excluded by NO_PROXY=/),
        file("config/proxy", /^takes precedence over the environment, also for loopback addresses$/),
      ],
    },
    {
      sentence: "A stale pooled connection is replaced once.",
      holds: [
        file("upstream/stale-connections", /^is replaced if it .* before any byte of the answer$/),
        file("upstream/stale-connections", /^is replaced only once$/),
        file("upstream/stale-connections", /^is not replaced (after|if it ends before)/),
      ],
    },
    {
      sentence: "Bodies in unusual but legal forms are understood, or named.",
      holds: [
        { test: "reads a compressed response, {form}" },
        { test: "names a page and a redirect that come in place of a response, {form}" },
        file("upstream/body-forms", /^is understood: /),
        file("upstream/body-forms", /^is named: /),
        file(
          "upstream/body-forms",
          /^of an error is understood: compressed, with a byte order mark, in another charset$/,
        ),
      ],
    },
    {
      sentence: "A new model has the newest rules of its family, and the configuration replaces a wrong rule.",
      holds: [
        file("models/family-rules", /^finds the rules of /),
        file("providers/claude-models", /^gives .* the rules of the newest known model of its tier$/),
        file("providers/chat-completions/adaptations", /^drops stop sequences for .* as for the newest known model/),
        file("models/knowledge", /^(gives each row|keeps rules about families|has no rules about families)/),
        file("server/model-overrides", /^(are sent to the provider|replace the rules of the family, and are sent)$/),
        file(
          "server/model-overrides",
          /^are dropped with a warning, or rejected if the response would be too different$/,
        ),
      ],
    },
    {
      sentence:
        "A field that no caller wrote and the provider rejects is left out in one further attempt, and learned.",
      holds: [
        {
          test: "are all fields of the body that the caller did not write and that the API does not require",
          under: "own fields of {title}",
        },
        {
          test: "can each be left out or renamed, and nothing else of the body changes",
          under: "own fields of {title}",
        },
        { test: "are read from an error that names them, {form}", under: "rejected fields at {title}" },
        {
          test: "are never read from a sentence, or from a place outside the body",
          under: "rejected fields at {title}",
        },
        file("server/learned-fields", /^is left out in a second attempt, and by later calls at once$/),
        file("server/learned-fields", /^fails after exactly two attempts if the provider rejects the second one too/),
        file("server/learned-fields", /^fails after one attempt and names the field if the provider rejects /),
        file("server/learned-fields", /^is not left out without time for another attempt$/),
        file("routing/learned-fields", /^remembers a field for 24 hours$/),
        file("routing/learned-fields", /^remembers at most 1,000 fields of all targets, and forgets the oldest first$/),
      ],
    },
  ],
};
