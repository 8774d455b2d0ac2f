/** Service tiers that OpenAI's types have, beside the names of other providers for the same tier. */
const tiers: Readonly<Record<string, string>> = {
  auto: "auto",
  default: "default",
  flex: "flex",
  scale: "scale",
  priority: "priority",
  fast: "fast",
  ultrafast: "ultrafast",
  // Anthropic's and Groq's
  standard: "default",
  on_demand: "default",
};

/** Returns the tier of a response in OpenAI's words; undefined for a tier that they do not have. */
export function toServiceTier(tier: string): string | undefined {
  return Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
}
