import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { mediaDelta, started } from "../../src/chat/stream/events.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { streamFrom } from "../support/attempt.ts";
import { ask } from "../support/requests.ts";

// This file has no other tests: they could load the rules.
it("names what is wrong with the first output that violates the annotations", async () => {
  const model = create(ModelSchema, { id: "scripted/one", provider: "scripted", providerModel: "one" });
  const adapter: Adapter = {
    name: "scripted",
    checkSupport: () => [],
    describe: () => undefined,
    async *stream() {
      yield [started(), mediaDelta(0, 0, { mediaType: "image/png", filename: "f".repeat(256) })];
    },
  };
  const { events } = streamFrom(adapter, ask(model.id, "hello"), model);
  await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    reason: "PROVIDER_FAULT",
    message: "the provider's response is malformed: part.media.filename must be at most 255 characters",
  });
});
