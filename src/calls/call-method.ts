import type { Operation } from "../ledger/record.ts";

/** Method of a service or of an HTTP API. */
export interface CallMethod {
  /** Name in call records: `CompleteChat`, or the name of an HTTP API, such as `egp-chat`. */
  readonly name: string;
  /** Whether its calls may ask a provider, so that the ledger has a record of each. */
  readonly mayCost: boolean;
  /** What its calls ask providers for. Default: chat. */
  readonly operation?: Operation | undefined;
  /** Whether its response is a stream. Undefined: the request decides. */
  readonly stream?: boolean | undefined;
}

/** Method in the records of requests for a method that does not exist. */
export const unknownMethod: CallMethod = { name: "unknown", mayCost: false };
