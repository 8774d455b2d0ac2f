import type { StoredKey } from "../../accounts/account-store.ts";
import type { NewKeySettings } from "../../accounts/manage-keys.ts";

/** What `dragoman keys list` shows of a key. */
export interface ListedKey
  extends Pick<StoredKey, "id" | "displayName" | "role" | "accounts" | "models" | "expiresMs" | "revokedMs"> {
  /** Undefined: the configuration of the service has the key. */
  readonly createdMs: number | undefined;
}

/** A key's id, and the secret that nobody can read again. */
interface NewSecret {
  readonly id: string;
  readonly text: string;
}

/** Keys that a command reads and changes. */
export interface KeyStore {
  create(settings: NewKeySettings): Promise<NewSecret>;
  list(): Promise<readonly ListedKey[]>;
  rotate(id: string, formerMs: number): Promise<NewSecret>;
  revoke(id: string): Promise<void>;
  /** Whether callers need no key. Undefined: not known. */
  readonly isOpen: boolean | undefined;
  /** Mode of authentication, if it is known. */
  readonly mode?: string;
}
