/** A model at a server that speaks OpenAI's dialect. Windows and limits are in tokens; 0 is unknown. */
export interface HostedRow {
  readonly model: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
  readonly images?: boolean;
  readonly reasoning?: boolean;
}

const thinks = { reasoning: true };
const sees = { reasoning: true, images: true };

// Sources: models.dev as @earendil-works/pi-ai 1.5.2 has it (2026-11-10), which lists only models that call tools; what
// the servers take is in the declarations of their providers. Names that move and routes at another price are left out:
// every name is reached as `<provider>/<model>`. Perplexity is not here: it retired its chat completions on 2026-09-27.

/** Groq. */
export const groq: readonly HostedRow[] = [
  { model: "llama-3.1-8b-instant", name: "Llama 3.1 8B", window: 131_072, output: 131_072 },
  { model: "llama-3.3-70b-versatile", name: "Llama 3.3 70B", window: 131_072, output: 32_768 },
  { model: "openai/gpt-oss-120b", name: "GPT OSS 120B", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-20b", name: "GPT OSS 20B", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-safeguard-20b", name: "Safety GPT OSS 20B", window: 131_072, output: 65_536, ...thinks },
  { model: "qwen/qwen3.6-27b", name: "Qwen3.6 27B", window: 131_072, output: 16_384, ...sees },
  { model: "qwen/qwen3.8-27b", name: "Qwen3.8 27B", window: 131_072, output: 16_384, ...sees },
];

/** Together. */
export const together: readonly HostedRow[] = [
  {
    model: "deepseek-ai/DeepSeek-V4-Pro-0813",
    name: "DeepSeek V4 Pro 0813",
    window: 1_048_576,
    output: 384_000,
    ...thinks,
  },
  {
    model: "deepseek-ai/DeepSeek-V4.1-Flash",
    name: "DeepSeek V4.1 Flash",
    window: 1_048_576,
    output: 384_000,
    ...sees,
  },
  {
    model: "meta-models/Muse-Spark-Open-816B-A42B",
    name: "Muse Spark Open",
    window: 1_048_576,
    output: 131_072,
    ...sees,
  },
  { model: "MiniMaxAI/MiniMax-M3", name: "MiniMax-M3", window: 524_288, output: 524_288, ...sees },
  { model: "moonshotai/Kimi-K3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "moonshotai/Kimi-K3.1-Pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
  {
    model: "nvidia/NVIDIA-Nemotron-3.5-Super-VL",
    name: "Nemotron 3.5 Super VL 120B A12B",
    window: 262_144,
    output: 262_144,
    ...sees,
  },
  { model: "openai/gpt-oss-120b", name: "GPT OSS 120B", window: 131_072, output: 131_072, ...thinks },
  { model: "Qwen/Qwen3.5-9B", name: "Qwen3.5 9B", window: 262_144, output: 65_536, ...sees },
  { model: "Qwen/Qwen3.6-Plus", name: "Qwen3.6 Plus", window: 1_000_000, output: 65_536, ...thinks },
  { model: "Qwen/Qwen3.7-Max", name: "Qwen3.7 Max", window: 1_000_000, output: 131_072, ...thinks },
  { model: "reflection/Beam-1.0-501B-A23B", name: "Beam 1.0 501B A23B", window: 1_048_576, output: 131_072, ...thinks },
  { model: "thinkingmachines/Inkling", name: "Inkling", window: 524_288, output: 131_072, ...sees },
  { model: "zai-org/GLM-5.2", name: "GLM-5.2", window: 1_048_575, output: 164_000, ...thinks },
  { model: "zai-org/GLM-5.3", name: "GLM-5.3", window: 1_048_575, output: 262_144, ...thinks },
  { model: "zai-org/GLM-5.3-Flash", name: "GLM-5.3-Flash", window: 1_048_575, output: 400_000, ...sees },
];

/** Fireworks, after `accounts/fireworks/models/`. */
export const fireworks: readonly HostedRow[] = [
  { model: "deepseek-v4p1-flash", name: "DeepSeek V4.1 Flash", window: 1_000_000, output: 384_000, ...sees },
  { model: "deepseek-v4p1-flash-1017", name: "DeepSeek V4.1 Flash 1017", window: 1_000_000, output: 384_000, ...sees },
  { model: "ember-1", name: "Ember-1", window: 1_048_576, output: 131_072, ...sees },
  { model: "minimax-m3", name: "MiniMax-M3", window: 512_000, output: 512_000, ...thinks },
  { model: "minimax-m3p1-flash", name: "MiniMax-M3.1-Flash", window: 1_000_000, output: 512_000, ...sees },
  { model: "muse-spark-open", name: "Muse Spark Open", window: 1_048_576, output: 131_072, ...sees },
  { model: "qwen3p8-2p4t-a95b", name: "Qwen3.8 2.4T A95B", window: 262_144, output: 131_072, ...thinks },
  { model: "qwen3p8-max", name: "Qwen3.8 Max", window: 262_144, output: 131_072, ...sees },
  { model: "glm-5p3", name: "GLM 5.3", window: 1_048_573, output: 262_144, ...thinks },
  { model: "glm-5p3-flash", name: "GLM 5.3 Flash", window: 1_048_573, output: 131_072, ...sees },
  { model: "kimi-k3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "kimi-k3p1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
];

/** xAI. */
export const xai: readonly HostedRow[] = [
  { model: "grok-4.3", name: "Grok 4.3", window: 1_000_000, output: 30_000, ...sees },
  { model: "grok-4.5", name: "Grok 4.5", window: 500_000, output: 500_000, ...sees },
  { model: "grok-4.6", name: "Grok 4.6", window: 500_000, output: 500_000, ...sees },
  { model: "grok-4.7", name: "Grok 4.7", window: 500_000, output: 500_000, ...sees },
];

/** DeepSeek. */
export const deepseek: readonly HostedRow[] = [
  { model: "deepseek-flash", name: "DeepSeek V4.1 Flash", window: 1_000_000, output: 384_000, ...sees },
  { model: "deepseek-v4-pro", name: "DeepSeek V4 Pro", window: 1_000_000, output: 384_000, ...thinks },
];

/** Moonshot. Sources: models.dev and https://platform.kimi.ai/docs/models in November 2026; K2 ends with the year. */
export const moonshot: readonly HostedRow[] = [
  { model: "kimi-k3", name: "Kimi K3", window: 1_048_576, output: 1_048_576, ...sees },
  { model: "kimi-k3.1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 1_048_576, ...sees },
  { model: "kimi-k3.1-pro-highspeed", name: "Kimi K3.1 Pro Highspeed", window: 1_048_576, output: 1_048_576, ...sees },
];

/**
 * The newest models of each vendor at OpenRouter, of some 400 there. An output limit of 0 stands where the source only
 * repeats nine tenths of the window.
 */
export const openrouter: readonly HostedRow[] = [
  { model: "openai/gpt-6-astra", name: "GPT-6 Astra", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6.1-sol", name: "GPT-6.1 Sol", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6.1-terra", name: "GPT-6.1 Terra", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6-luna", name: "GPT-6 Luna", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-4o", name: "GPT-4o", window: 128_000, output: 16_384, images: true },
  { model: "openai/gpt-4o-mini", name: "GPT-4o-mini", window: 128_000, output: 16_384, images: true },
  { model: "openai/gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, output: 0, ...thinks },
  { model: "anthropic/claude-fable-5.2", name: "Claude Fable 5.2", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-opus-5.5", name: "Claude Opus 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-sonnet-5.5", name: "Claude Sonnet 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-haiku-5.5", name: "Claude Haiku 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "google/gemini-4-argon", name: "Gemini 4 Argon", window: 1_048_576, output: 0, ...sees },
  { model: "google/gemini-3.8-flash", name: "Gemini 3.8 Flash", window: 1_048_576, output: 65_536, ...sees },
  { model: "google/gemma-4-31b-it", name: "Gemma 4 31B", window: 262_144, output: 16_384, ...sees },
  { model: "x-ai/grok-4.7", name: "Grok 4.7", window: 500_000, output: 0, ...sees },
  { model: "deepseek/deepseek-v4-pro-0813", name: "DeepSeek V4 Pro 0813", window: 1_048_576, output: 0, ...thinks },
  { model: "deepseek/deepseek-v4.1-flash", name: "DeepSeek V4.1 Flash", window: 1_048_576, output: 0, ...sees },
  { model: "moonshotai/kimi-k3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "moonshotai/kimi-k3.1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-max-0902", name: "Qwen3.8 Max (0902)", window: 1_000_000, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-flash", name: "Qwen3.8 Flash", window: 1_000_000, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-27b", name: "Qwen3.8 27B", window: 262_144, output: 0, ...sees },
  { model: "z-ai/glm-5.3", name: "GLM 5.3", window: 1_048_576, output: 0, ...thinks },
  { model: "z-ai/glm-5.3-flash", name: "GLM 5.3 Flash", window: 1_048_575, output: 0, ...sees },
  { model: "minimax/minimax-m3", name: "MiniMax M3", window: 524_288, output: 512_000, ...sees },
  { model: "mistralai/mistral-large-4-0", name: "Mistral Large 4", window: 1_048_576, output: 262_144, ...sees },
  { model: "mistralai/mistral-medium-3-5", name: "Mistral Medium 3.5", window: 262_144, output: 209_715, ...sees },
  { model: "meta/muse-spark-1.3", name: "Muse Spark 1.3", window: 1_048_576, output: 0, ...sees },
  { model: "meta-llama/llama-3.3-70b-instruct", name: "Llama 3.3 70B Instruct", window: 128_000, output: 0 },
  { model: "meta-llama/llama-3.1-8b-instruct", name: "Llama 3.1 8B Instruct", window: 131_072, output: 16_384 },
  { model: "nvidia/nemotron-3-super-120b-a12b", name: "Nemotron 3 Super", window: 262_144, output: 16_384, ...thinks },
];
