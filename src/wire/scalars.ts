import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** What the compiled code needs to know of a scalar type. */
interface Scalar {
  /** Name of the methods of WireWriter and WireReader. */
  readonly method: string;
  readonly wireType: WireType;
  /** JavaScript of the zero value. */
  readonly zero: string;
}

const number = (method: string, wireType = WireType.Varint): Scalar => ({ method, wireType, zero: "0" });
const long = (method: string, wireType = WireType.Varint): Scalar => ({ method, wireType, zero: "0n" });

const scalars: Readonly<Record<ScalarType, Scalar>> = {
  [ScalarType.DOUBLE]: number("double", WireType.Bit64),
  [ScalarType.FLOAT]: number("float", WireType.Bit32),
  [ScalarType.INT64]: long("int64"),
  [ScalarType.UINT64]: long("uint64"),
  [ScalarType.INT32]: number("int32"),
  [ScalarType.FIXED64]: long("fixed64", WireType.Bit64),
  [ScalarType.FIXED32]: number("fixed32", WireType.Bit32),
  [ScalarType.BOOL]: { method: "bool", wireType: WireType.Varint, zero: "false" },
  [ScalarType.STRING]: { method: "text", wireType: WireType.LengthDelimited, zero: '""' },
  [ScalarType.BYTES]: { method: "bytes", wireType: WireType.LengthDelimited, zero: "noBytes" },
  [ScalarType.UINT32]: number("uint32"),
  [ScalarType.SFIXED32]: number("sfixed32", WireType.Bit32),
  [ScalarType.SFIXED64]: long("sfixed64", WireType.Bit64),
  [ScalarType.SINT32]: number("sint32"),
  [ScalarType.SINT64]: long("sint64"),
};

/** Returns the scalar type of a field or of its items. An enum is an int32. */
export function scalarTypeOf({ scalar }: DescField): ScalarType {
  return scalar ?? ScalarType.INT32;
}

export function scalarOf(type: ScalarType): Scalar {
  return scalars[type];
}

/** Returns the tag of a field: its number and wire type. */
export function tagOf(fieldNumber: number, wireType: WireType): number {
  return ((fieldNumber << 3) | wireType) >>> 0;
}

/** Returns the tag of a string, bytes, a message or a packed list. */
export function delimitedTag(fieldNumber: number): number {
  return tagOf(fieldNumber, WireType.LengthDelimited);
}
