export type AccountRow = { id: string; settings: string; create_time: string; revision: bigint };
export type KeyRow = AccountRow & { revoke_time: string | null };
export type SecretRow = { sha256: string; key_id: string; expire_time: string | null };

/** Tables of the database, as the migration `0002-accounts.ts` creates them. */
export type AccountTables = {
  account: AccountRow;
  api_key: KeyRow;
  api_key_secret: SecretRow;
  revision: { value: bigint };
};

/** Returns the value of a column with a time. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
