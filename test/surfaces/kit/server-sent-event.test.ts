import { expect, it } from "vitest";
import { formatEvent } from "../../../src/surfaces/kit/server-sent-event.ts";

it("formats an event with its name, if any, and its data on one line", () => {
  expect(formatEvent({ data: { text: "a\nb" } })).toBe('data: {"text":"a\\nb"}\n\n');
  expect(formatEvent({ event: "message_stop", data: {} })).toBe("event: message_stop\ndata: {}\n\n");
});
