/** A type without its readonly marks: the SDKs declare mutable lists. */
export type Mutable<Type> = Type extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Type extends object
    ? { -readonly [Key in keyof Type]: Mutable<Type[Key]> }
    : Type;

/** True when every value of one type is one of the other; otherwise a type that nothing can be assigned to. */
export type Assignable<Sent, Vendor> = [Sent] extends [Vendor] ? true : never;
