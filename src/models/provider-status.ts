/** Whether a provider is on, and why. */
export interface ProviderStatus {
  readonly name: string;
  readonly on: boolean;
  /** For a person: `OPENAI_API_KEY is set`, `set GROQ_API_KEY to turn it on`. */
  readonly reason: string;
  /** `Model.family` of its models. */
  readonly family: string;
}
