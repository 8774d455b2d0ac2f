import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";

/** What sets Bedrock's models apart. Windows and limits are in tokens; 0 is unknown. */
interface Row {
  /** The inference profile of the United States where there is one: most models are not served by their bare id. */
  readonly id: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
  readonly tools?: boolean;
  /** Takes images and documents. */
  readonly media?: boolean;
  readonly jsonSchema?: boolean;
  readonly reasoning?: boolean;
}

const claude = { tools: true, media: true, reasoning: true, window: 1_000_000, output: 128_000 };
const claude45 = { ...claude, window: 200_000, output: 64_000 };
const nova = { tools: true, media: true, output: 10_000 };
const gptOss = { tools: true, reasoning: true, window: 131_072, output: 128_000 };
const llama = { tools: true, window: 128_000, output: 4096 };

// Sources: the types of @ai-sdk/amazon-bedrock 5.0.101 for ids, and its sources for whose JSON Schema can be relied on;
// models.dev of November 2026 for windows, limits and the models since then. Profiles of other regions (`eu.`, `apac.`,
// `global.`) and ARNs need no entry: write bedrock/<id>.
const rows: readonly Row[] = [
  { id: "us.anthropic.claude-fable-5-2", name: "Claude Fable 5.2", ...claude },
  { id: "us.anthropic.claude-fable-5-1", name: "Claude Fable 5.1", ...claude },
  { id: "us.anthropic.claude-fable-5", name: "Claude Fable 5", ...claude },
  { id: "us.anthropic.claude-opus-5-5", name: "Claude Opus 5.5", ...claude },
  { id: "us.anthropic.claude-opus-5", name: "Claude Opus 5", ...claude },
  { id: "us.anthropic.claude-opus-4-8", name: "Claude Opus 4.8", ...claude },
  { id: "us.anthropic.claude-opus-4-7", name: "Claude Opus 4.7", ...claude },
  { id: "us.anthropic.claude-opus-4-6-v1", name: "Claude Opus 4.6", ...claude, jsonSchema: true },
  { id: "us.anthropic.claude-opus-4-5-20251101-v1:0", name: "Claude Opus 4.5", ...claude45, jsonSchema: true },
  { id: "us.anthropic.claude-sonnet-5-5", name: "Claude Sonnet 5.5", ...claude },
  { id: "us.anthropic.claude-sonnet-5", name: "Claude Sonnet 5", ...claude },
  { id: "us.anthropic.claude-sonnet-4-6", name: "Claude Sonnet 4.6", ...claude },
  { id: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", name: "Claude Sonnet 4.5", ...claude45, jsonSchema: true },
  { id: "us.anthropic.claude-haiku-5-5", name: "Claude Haiku 5.5", ...claude },
  { id: "us.anthropic.claude-haiku-4-5-20251001-v1:0", name: "Claude Haiku 4.5", ...claude45 },
  {
    id: "us.amazon.nova-2-lite-v1:0",
    name: "Nova 2 Lite",
    ...nova,
    window: 1_000_000,
    output: 65_535,
    reasoning: true,
  },
  { id: "us.amazon.nova-premier-v1:0", name: "Nova Premier", ...nova, window: 1_000_000 },
  { id: "us.amazon.nova-pro-v1:0", name: "Nova Pro", ...nova, window: 300_000 },
  { id: "us.amazon.nova-lite-v1:0", name: "Nova Lite", ...nova, window: 300_000 },
  { id: "us.amazon.nova-micro-v1:0", name: "Nova Micro", ...nova, media: false, window: 128_000 },
  { id: "openai.gpt-oss-120b-1:0", name: "gpt-oss-120b", ...gptOss },
  { id: "openai.gpt-oss-20b-1:0", name: "gpt-oss-20b", ...gptOss },
  {
    id: "us.meta.llama4-maverick-17b-instruct-v1:0",
    name: "Llama 4 Maverick",
    ...llama,
    window: 1_000_000,
    output: 8192,
    media: true,
  },
  // Sources differ on its window: 3.5 or 10 million.
  {
    id: "us.meta.llama4-scout-17b-instruct-v1:0",
    name: "Llama 4 Scout",
    ...llama,
    window: 0,
    output: 8192,
    media: true,
  },
  { id: "us.meta.llama3-3-70b-instruct-v1:0", name: "Llama 3.3 70B", ...llama },
  { id: "us.deepseek.r1-v1:0", name: "DeepSeek R1", window: 128_000, output: 32_768, reasoning: true },
  {
    id: "us.mistral.pixtral-large-2502-v1:0",
    name: "Pixtral Large",
    tools: true,
    media: true,
    window: 128_000,
    output: 8192,
  },
];

/** Models that are served by Amazon Bedrock, as `bedrock/<id>`. */
export const bedrockModels: readonly Model[] = rows.map(
  ({ id, name, window, output, tools = false, media = false, jsonSchema = false, reasoning = false }) =>
    create(ModelSchema, {
      id: `bedrock/${id}`,
      provider: "bedrock",
      displayName: `${name} (Bedrock)`,
      profile: "plain",
      contextWindowTokens: window,
      maxOutputTokens: output,
      providerModel: id,
      maxTemperature: 1,
      capabilities: {
        systemMessages: true,
        tools,
        parallelToolCalls: tools,
        // The model is told to write one.
        jsonObject: true,
        jsonSchema,
        imageInput: media,
        documentInput: media,
        reasoning,
        // More choices are more calls.
        multipleChoices: true,
      },
    }),
);
