/** A type without its readonly modifiers, because the SDKs declare mutable lists. */
export type Mutable<Type> = Type extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Type extends object
    ? { -readonly [Key in keyof Type]: Mutable<Type[Key]> }
    : Type;

/** `true` if the first type is assignable to the second, otherwise `never`. */
export type Assignable<Sent, Vendor> = [Sent] extends [Vendor] ? true : never;
