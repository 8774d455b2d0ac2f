/** Encodes and decodes messages in a process that may not compile strings. Prints whether they stay the same. */
import { create, equals } from "@bufbuild/protobuf";
import { CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { decode, encode } from "../../src/wire/codec.ts";
import { codecOf } from "../../src/wire/compile.ts";

const record = create(CallRecordSchema, { id: "chatcmpl-0", labels: { team: "search" } });
const isSame = equals(CallRecordSchema, record, decode(CallRecordSchema, encode(CallRecordSchema, record)));
process.stdout.write(String(isSame && codecOf(CallRecordSchema) === undefined));
