/** Whether a provider is configured, and why. */
export interface ProviderStatus {
  readonly name: string;
  /** Known provider, or `chat-completions`, whose API an added provider has. Undefined: the provider is not added. */
  readonly dialect?: string;
  /** Whether the provider is configured. */
  readonly on: boolean;
  /** Text for the operator: `OPENAI_API_KEY is set`, `set GROQ_API_KEY to turn it on`. */
  readonly reason: string;
  /** `Model.family` of its models. */
  readonly family: string;
}
