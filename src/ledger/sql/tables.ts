/** Types of columns. With a question mark, the value can be null. */
export type ColumnType = "text" | "integer" | "time" | "json" | "text?" | "integer?" | "real?" | "json?";

/** Columns of the table `call`: one row for each call, with what CallRecord has. */
export const callColumns = {
  id: "text",
  start_time: "time",
  account: "text",
  key_id: "text",
  user_id: "text",
  labels: "json",
  route: "text",
  model: "text",
  provider: "text",
  method: "text",
  protocol: "text",
  outcome: "text",
  reason: "text",
  // Null if the call has no usage.
  input_tokens: "integer?",
  output_tokens: "integer?",
  total_tokens: "integer?",
  cached_input_tokens: "integer?",
  cache_write_input_tokens: "integer?",
  cache_write_1h_input_tokens: "integer?",
  reasoning_tokens: "integer?",
  accepted_prediction_tokens: "integer?",
  rejected_prediction_tokens: "integer?",
  audio_input_tokens: "integer?",
  audio_output_tokens: "integer?",
  image_input_tokens: "integer?",
  image_output_tokens: "integer?",
  server_tool_requests: "json?",
  quality: "text?",
  // Null if the cost is not known.
  cost_nanos: "integer?",
  input_cost_nanos: "integer?",
  cached_input_cost_nanos: "integer?",
  cache_write_cost_nanos: "integer?",
  output_cost_nanos: "integer?",
  other_cost_nanos: "integer?",
  cost_source: "text?",
  price_version: "text?",
  first_output_ms: "real?",
  duration_ms: "real?",
  request_id: "text",
  profile: "text",
  peer: "text",
  attempts: "json",
  notes: "json",
} as const satisfies Record<string, ColumnType>;

/** Columns of `usage_hour` and `usage_day` whose combinations have a row in each hour or day. */
export const usageGroups = {
  account: "text",
  key_id: "text",
  route: "text",
  model: "text",
  provider: "text",
  outcome: "text",
} as const satisfies Record<string, ColumnType>;

/** Upper bounds of the columns that count calls by their duration, in ms. */
export const durationBounds = [
  ...([25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300] as const),
  ...([10_000, 16_000, 25_000, 40_000, 63_000, 100_000, 160_000, 250_000, 400_000, 630_000] as const),
] as const;

type Bound = (typeof durationBounds)[number];

/** Name of a column that counts calls by their duration, such as `took_up_to_25ms`. */
export type DurationColumn = `took_up_to_${Bound}ms` | "took_longer";

export const durationColumns: readonly DurationColumn[] = [
  ...durationBounds.map((bound) => `took_up_to_${bound}ms` as const),
  "took_longer",
];

/** Columns of `usage_hour` and `usage_day` that are sums over calls. */
export const usageSums = [
  "calls",
  "unpriced_calls",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "cache_write_input_tokens",
  "reasoning_tokens",
  "cost_nanos",
  "duration_ms",
  ...durationColumns,
] as const;

export type UsageSumColumn = (typeof usageSums)[number];

interface Values {
  readonly text: string;
  readonly integer: bigint;
  readonly time: string;
  readonly json: string;
  readonly real: number;
}

type Value<Type extends ColumnType> = Type extends `${infer Name extends keyof Values}?`
  ? Values[Name] | null
  : Type extends keyof Values
    ? Values[Type]
    : never;

type RowOf<Columns extends Record<string, ColumnType>> = { [Name in keyof Columns]: Value<Columns[Name]> };

/** A row of `call`, as it is read. */
export type CallRow = RowOf<typeof callColumns>;

type SumRow = RowOf<typeof usageGroups> & Record<UsageSumColumn, bigint>;

/** The tables of the ledger. */
export type LedgerTables = {
  call: CallRow;
  usage_hour: { hour: string } & SumRow;
  usage_day: { day: string } & SumRow;
};
