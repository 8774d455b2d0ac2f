import { describe, expect, it } from "vitest";
import { createSigner } from "../../../src/providers/bedrock/sign.ts";

const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const url = new URL(
  `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent("us.anthropic.claude-sonnet-4-5-20250929-v1:0")}/converse`,
);
const body = '{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}';
const date = new Date("2026-01-02T03:04:05Z");

describe("createSigner", () => {
  it("signs like botocore, with the colon in the path encoded twice", async () => {
    const headers = await createSigner("us-east-1", credentials)(url, body, date);
    expect(headers).toEqual({
      "content-type": "application/json",
      "x-amz-date": "20260102T030405Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, " +
        "SignedHeaders=content-type;host;x-amz-date, " +
        "Signature=65844f67b96ec065771499b63133c081f5aa3e77ae7b477abc8e5c1f1f8bd3ff",
    });
  });

  it("sends and signs the token of temporary credentials", async () => {
    const sign = createSigner("us-east-1", { ...credentials, sessionToken: "session" });
    const headers = await sign(url, body, date);
    expect(headers["x-amz-security-token"]).toBe("session");
    expect(headers.authorization).toContain("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token");
  });
});
