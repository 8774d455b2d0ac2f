import { type Kysely, sql } from "kysely";
import type { DatabaseKind } from "../address.ts";
import { columnTypes } from "./column-types.ts";

/** Upper bounds of the durations in `usage_hour` and `usage_day`, in ms: five for each power of ten. */
const bounds = [
  ...[25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300],
  ...[10_000, 16_000, 25_000, 40_000, 63_000, 100_000, 160_000, 250_000, 400_000, 630_000],
];

/** Creates the tables `call`, `usage_hour` and `usage_day`, and the view `usage_hour_duration`. */
export async function createLedger(database: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  const { text, integer, real, time, json } = columnTypes[kind];
  const isPostgres = kind === "postgres";
  const groups = ["account", "key_id", "route", "model", "provider", "outcome"];
  const sums = [
    ...["calls", "unpriced_calls", "input_tokens", "output_tokens", "cached_input_tokens"],
    ...["cache_write_input_tokens", "reasoning_tokens", "cost_nanos", "duration_ms"],
  ];
  const took = [...bounds.map((bound) => `took_up_to_${bound}ms`), "took_longer"];
  const statements = [
    `create table call (
      id ${text} not null,
      start_time ${time} not null,
      account ${text} not null,
      key_id ${text} not null,
      user_id ${text} not null,
      labels ${json} not null,
      route ${text} not null,
      model ${text} not null,
      provider ${text} not null,
      method ${text} not null,
      protocol ${text} not null,
      outcome ${text} not null,
      reason ${text} not null,
      input_tokens ${integer},
      output_tokens ${integer},
      total_tokens ${integer},
      cached_input_tokens ${integer},
      cache_write_input_tokens ${integer},
      cache_write_1h_input_tokens ${integer},
      reasoning_tokens ${integer},
      accepted_prediction_tokens ${integer},
      rejected_prediction_tokens ${integer},
      audio_input_tokens ${integer},
      audio_output_tokens ${integer},
      image_input_tokens ${integer},
      image_output_tokens ${integer},
      server_tool_requests ${json},
      quality ${text},
      cost_nanos ${integer},
      input_cost_nanos ${integer},
      cached_input_cost_nanos ${integer},
      cache_write_cost_nanos ${integer},
      output_cost_nanos ${integer},
      other_cost_nanos ${integer},
      cost_source ${text},
      price_version ${text},
      first_output_ms ${real},
      duration_ms ${real},
      request_id ${text} not null,
      profile ${text} not null,
      peer ${text} not null,
      attempts ${json} not null,
      notes ${json} not null,
      ${isPostgres ? "primary key (id, start_time)" : "primary key (id)"}
    ) ${isPostgres ? "partition by range (start_time)" : "strict"}`,
    "create index call_start_time on call (start_time, id)",
    "create index call_account on call (account, start_time, id)",
    "create index call_key on call (key_id, start_time, id)",
    "create index call_request on call (request_id)",
    "create index call_not_ok on call (outcome, start_time, id) where outcome <> 'ok'",
    ...["hour", "day"].flatMap((step) => [
      `create table usage_${step} (
        ${step} ${time} not null,
        ${groups.map((group) => `${group} ${text} not null`).join(",\n")},
        ${[...sums, ...took].map((sum) => `${sum} ${integer} not null`).join(",\n")},
        primary key (${step}, ${groups.join(", ")})
      ) ${isPostgres ? "" : "strict, without rowid"}`,
      `create index usage_${step}_account on usage_${step} (account, ${step})`,
    ]),
    `create view usage_hour_duration as ${took
      .map((column, index) => {
        const upToMs = bounds[index] ?? "null";
        return `select hour, ${groups.join(", ")}, ${upToMs} as up_to_ms, ${column} as calls
          from usage_hour where ${column} > 0`;
      })
      .join(" union all ")}`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(database);
}
