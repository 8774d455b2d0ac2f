import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Database } from "../../../src/database/database.ts";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { UsageGroup, UsageService } from "../../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { readRecords } from "../../support/ledger-records.ts";
import type { ServiceProcess } from "../../support/process.ts";

const since = { seconds: BigInt(Date.parse("2020-01-01T00:00:00Z") / 1000), nanos: 0 };

/** Attempts while the thread of the database starts, each of which takes up to 5 s. */
const attempts = 20;

const retryAtStart: Interceptor = (next) => async (request) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable || attempt === attempts) throw error;
    }
  }
};

/** Compares what UsageService of a process answers with the records of the database. Returns each difference. */
export async function checkQueries(service: ServiceProcess, database: Database): Promise<readonly string[]> {
  const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}`, interceptors: [retryAtStart] });
  const client = createClient(UsageService, transport);
  const records = [...(await readRecords(database)).values()];
  const listed = new Set<string>();
  for (let pageToken = ""; ; ) {
    const page = await client.listCalls({ pageToken, pageSize: 1000 });
    for (const { id, outcome } of page.calls) listed.add(`${id} ${outcome}`);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  const unlisted = records.filter(({ id, outcome }) => !listed.has(`${id} ${outcome}`));
  const { rows } = await client.queryUsage({
    startTime: since,
    groupBy: [UsageGroup.ACCOUNT, UsageGroup.OUTCOME],
    pageSize: 1000,
  });
  const answered = rows.map(({ groups, calls, inputTokens, outputTokens, costNanos }) =>
    [...groups, calls, inputTokens, outputTokens, costNanos].join(" "),
  );
  const expected = sumsOf(records);
  return [
    ...unlisted.map(({ id }) => `ListCalls lacks ${id}`),
    ...(listed.size === records.length ? [] : [`ListCalls has ${listed.size} calls, not ${records.length}`]),
    ...expected.filter((line) => !answered.includes(line)).map((line) => `QueryUsage lacks ${line}`),
    ...answered.filter((line) => !expected.includes(line)).map((line) => `QueryUsage has ${line}`),
  ];
}

/** Sums of calls, tokens and cost by account and outcome. */
function sumsOf(records: readonly CallRecord[]): readonly string[] {
  const sums = new Map<string, readonly bigint[]>();
  for (const { account, outcome, usage } of records) {
    const key = `${account} ${CallOutcome[outcome]?.toLowerCase()}`;
    const [calls = 0n, input = 0n, output = 0n, cost = 0n] = sums.get(key) ?? [];
    sums.set(key, [
      calls + 1n,
      input + BigInt(usage?.inputTokens ?? 0),
      output + BigInt(usage?.outputTokens ?? 0),
      cost + (usage?.cost?.totalNanos ?? 0n),
    ]);
  }
  return [...sums].map(([key, values]) => [key, ...values].join(" "));
}
