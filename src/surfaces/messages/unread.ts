import type { FieldPath } from "../../field-path.ts";

/** Collects fields inside others that Dragoman does not send, for warnings: each name once, at its first place. */
export class Unread {
  readonly fields: FieldPath[] = [];
  readonly #seen = new Set<string>();

  /** Names the members of an object that are not read. */
  add(value: object, path: FieldPath, read: ReadonlySet<string> | undefined): void {
    for (const [name, member] of Object.entries(value)) {
      if (!read?.has(name) && member !== null && member !== undefined) this.leaveOut([...path, name]);
    }
  }

  /** Names a field. Tools and blocks of one conversation usually have the same further fields. */
  leaveOut(path: FieldPath): void {
    const pattern = path.filter((step) => typeof step === "string").join(".");
    if (this.#seen.has(pattern)) return;
    this.#seen.add(pattern);
    this.fields.push(path);
  }
}
