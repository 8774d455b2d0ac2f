import { createHash } from "node:crypto";
import { expect } from "vitest";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { failureOf, paths, says, startStage, wrongPlaces } from "./support.ts";

const key = (id: string, secret: string, more: object = {}) => ({
  id,
  sha256: createHash("sha256").update(secret).digest("hex"),
  ...more,
});
/** Configuration file that accepts only these API keys. */
const keys = (...list: readonly object[]) => ({ authentication: { mode: "keys", keys: list } });
const right = { "x-api-key": "right" };

const egpBody = { model: "gpt-4o", messages: says("hi") };
const historyBody = { prompt: "hi", chat_history: [] };
const llamaBody = { model: "llama3.1-8b", messages: says("hi") };
const openBody = { model: "meta-llama/Llama-2-70b-chat-hf", messages: says("hi") };
const d1 = { deployments: { d1: { model: "gpt-4o" } } };

behaviour(1, async () => {
  const { post, sent, service } = await startStage({ openai: [] });
  expect(await post(paths.egpChat, egpBody)).toMatchObject({
    status: 200,
    body: { chat_completion: { message: { role: "assistant", content: "Hello" }, finish_reason: "stop" } },
  });
  expect(sent("openai")).toMatchObject({ model: "gpt-4o", messages: [{ role: "system" }, ...says("hi")] });

  const { completion } = await service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi") });
  expect(completion?.choices).toMatchObject([{ message: { parts: [{ kind: { case: "text", value: "Hello" } }] } }]);
});

behaviour(2, async () => {
  const { post, sent, service } = await startStage({ openai: [] }, d1);
  expect(await post(paths.egpDeployment("d1"), historyBody)).toMatchObject({
    status: 200,
    body: { completions: [["hi", ["Hello"]]] },
  });
  expect(sent("openai")).toMatchObject({ model: "gpt-4o", messages: says("hi") });

  const { completion } = await service.chatClient("grpc").completeChat({ chat: ask("deployments/d1", "hi") });
  expect(completion?.choices).toHaveLength(1);
});

behaviour(3, async () => {
  const { post, sent, service } = await startStage({ cerebras: [] });
  expect(await post(paths.cerebras, { ...llamaBody, temperature: 0 })).toMatchObject({
    status: 200,
    body: { object: "chat.completion", choices: [{ message: { role: "assistant", content: "Hello" } }] },
  });
  expect(sent("cerebras")).toMatchObject({ model: "llama3.1-8b", temperature: 0 });

  const chat = ask("llama3.1-8b", "hi", { parameters: { temperature: 0 } });
  const { completion } = await service.chatClient("grpc").completeChat({ chat });
  expect(completion?.choices).toHaveLength(1);
  expect(sent("cerebras")).toMatchObject({ model: "llama3.1-8b", temperature: 0 });
});

behaviour(4, async () => {
  const { post, sent, service } = await startStage({ deepinfra: [] });
  expect(await post(paths.deepinfra, openBody)).toMatchObject({
    status: 200,
    body: { object: "chat.completion", choices: [{ message: { role: "assistant", content: "Hello" } }] },
  });
  expect(sent("deepinfra")).toMatchObject(openBody);

  const { completion } = await service.chatClient("grpc").completeChat({ chat: ask(openBody.model, "hi") });
  expect(completion?.choices).toHaveLength(1);
});

behaviour(5, async () => {
  const { post, service, asked } = await startStage({ openai: [] }, { ...d1, ...keys(key("k", "right")) });
  const calls = [
    [paths.egpChat, egpBody],
    [paths.egpDeployment("d1"), historyBody],
  ] as const;
  for (const [path, body] of calls) {
    expect(await post(path, body)).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining("x-api-key") },
    });
  }
  const chat = ask("gpt-4o", "hi");
  const missing = { code: "Unauthenticated", reason: "CREDENTIALS_MISSING" };
  expect(await failureOf(service.chatClient("grpc").completeChat({ chat }))).toMatchObject(missing);
  expect(asked()).toBe(0);

  for (const [path, body] of calls) expect(await post(path, body, right)).toMatchObject({ status: 200 });
  await service.chatClient("grpc").completeChat({ chat }, { headers: right });
  expect(asked()).toBe(3);
});

behaviour(6, async () => {
  const { post, service, asked } = await startStage({ cerebras: [], deepinfra: [] }, keys(key("k", "right")));
  const calls = [
    [paths.cerebras, llamaBody],
    [paths.deepinfra, openBody],
  ] as const;
  const { completeChat } = service.chatClient("grpc");
  for (const authorization of [undefined, "Basic right", "right", "Bearer wrong"]) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    for (const [path, body] of calls) {
      const reply = await post(path, body, headers);
      expect([authorization, path, reply.status]).toEqual([authorization, path, 401]);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
    }
    const call = completeChat({ chat: ask("llama3.1-8b", "hi") }, { headers });
    expect(await failureOf(call)).toMatchObject({ code: "Unauthenticated" });
  }
  expect(asked()).toBe(0);

  const headers = { authorization: "Bearer right" };
  for (const [path, body] of calls) expect(await post(path, body, headers)).toMatchObject({ status: 200 });
  await completeChat({ chat: ask("llama3.1-8b", "hi") }, { headers });
});

behaviour(7, async () => {
  // The operator revokes a key by removing it from the file.
  const before = await startStage({ openai: [] }, keys(key("kept", "right"), key("leaver", "revoked")));
  const revoked = { "x-api-key": "revoked" };
  expect(await before.post(paths.egpChat, egpBody, revoked)).toMatchObject({ status: 200 });

  const { post, service, asked } = await startStage(
    { openai: [], cerebras: [], deepinfra: [] },
    { ...d1, ...keys(key("kept", "right")) },
  );
  const invalid = { code: "Unauthenticated", reason: "CREDENTIALS_INVALID" };
  for (const headers of [revoked, { "x-api-key": "unknown" }]) {
    expect(await post(paths.egpChat, egpBody, headers)).toMatchObject({ status: 401 });
    expect(await post(paths.egpDeployment("d1"), historyBody, headers)).toMatchObject({ status: 401 });
    expect(await post(paths.cerebras, llamaBody, headers)).toMatchObject({ status: 401 });
    expect(await post(paths.deepinfra, openBody, headers)).toMatchObject({ status: 401 });
    const call = service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi") }, { headers });
    expect(await failureOf(call)).toMatchObject(invalid);
  }
  expect(asked()).toBe(0);
  expect(service.records.map(({ outcome, usage }) => [outcome, usage])).toEqual(Array(10).fill(["refused", undefined]));
});

behaviour(8, async () => {
  const { post, service } = await startStage({ openai: [] });
  await post(paths.egpChat, { ...egpBody, account_id: "a1" });
  expect(await service.nextRecord()).toMatchObject({ accountId: "a1", method: "egp-chat", usage: { totalTokens: 5 } });
  await service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi", { accountId: "a2" }) });
  expect(await service.nextRecord()).toMatchObject({ accountId: "a2", usage: { totalTokens: 5 } });
  await post(paths.egpChat, egpBody);
  expect(await service.nextRecord()).toMatchObject({ accountId: "" });
});

behaviour(9, async () => {
  const open = await startStage({ openai: [] });
  expect(await open.post(paths.egpChat, egpBody)).toMatchObject({ status: 200 });

  const { post, service, asked } = await startStage({ openai: [] }, { authentication: { require_account: true } });
  const rejected = await post(paths.egpChat, egpBody);
  expect(rejected).toMatchObject({ status: 422, body: { detail: [{ msg: expect.stringContaining("is required") }] } });
  expect(wrongPlaces(rejected)).toEqual(["body.account_id"]);
  expect(await failureOf(service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi") }))).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.account_id"],
  });
  expect(asked()).toBe(0);
  expect(await post(paths.egpChat, { ...egpBody, account_id: "a1" })).toMatchObject({ status: 200 });
});

behaviour(10, async () => {
  const file = { ...d1, ...keys(key("k", "right", { accounts: ["a1", "a2"] })) };
  const { post, service, asked } = await startStage({ openai: [] }, file);
  expect(wrongPlaces(await post(paths.egpChat, egpBody, right))).toEqual(["body.account_id"]);
  expect(wrongPlaces(await post(paths.egpDeployment("d1"), historyBody, right))).toEqual([
    "header.x-selected-account-id",
  ]);
  const { completeChat } = service.chatClient("grpc");
  expect(await failureOf(completeChat({ chat: ask("gpt-4o", "hi") }, { headers: right }))).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.account_id"],
  });
  expect(asked()).toBe(0);

  service.forgetRecords();
  expect(await post(paths.egpChat, { ...egpBody, account_id: "a2" }, right)).toMatchObject({ status: 200 });
  expect(await service.nextRecord()).toMatchObject({ accountId: "a2", keyId: "k" });
  await completeChat({ chat: ask("gpt-4o", "hi", { accountId: "a2" }) }, { headers: right });
  expect(await service.nextRecord()).toMatchObject({ accountId: "a2", keyId: "k" });
});

behaviour(11, async () => {
  const file = { ...d1, ...keys(key("k", "right", { accounts: ["a1", "a2"], default_account: "a1" })) };
  const { post, service } = await startStage({ openai: [] }, file);
  const selections: readonly [Record<string, string>, string][] = [
    [{ "x-selected-account-id": "a2" }, "a2"],
    [{ "x-selected-account-id": "" }, "a1"],
    [{}, "a1"],
  ];
  for (const [selected, account] of selections) {
    const headers = { ...right, ...selected };
    expect(await post(paths.egpDeployment("d1"), historyBody, headers)).toMatchObject({ status: 200 });
    expect(await service.nextRecord()).toMatchObject({ accountId: account });
    await service.chatClient("grpc").completeChat({ chat: ask("deployments/d1", "hi") }, { headers });
    expect(await service.nextRecord()).toMatchObject({ accountId: account });
  }
});

behaviour(12, async () => {
  const file = { ...d1, ...keys(key("k", "right", { accounts: ["a1", "a2"], default_account: "a1" })) };
  const { post, service, asked } = await startStage({ openai: [] }, file);
  const headers = { ...right, "x-selected-account-id": "a9" };
  expect(await post(paths.egpDeployment("d1"), historyBody, headers)).toMatchObject({ status: 403 });
  expect(await post(paths.egpChat, egpBody, headers)).toMatchObject({ status: 403 });
  expect(await post(paths.egpChat, { ...egpBody, account_id: "a9" }, right)).toMatchObject({ status: 403 });
  const call = service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi") }, { headers });
  expect(await failureOf(call)).toMatchObject({ code: "PermissionDenied", reason: "ACCOUNT_NOT_ALLOWED" });
  expect(asked()).toBe(0);
});

behaviour(13, async () => {
  const { post, service, asked } = await startStage({ openai: [] });
  const headers = { "x-selected-account-id": "a2" };
  const rejected = await post(paths.egpChat, { ...egpBody, account_id: "a1" }, headers);
  expect(rejected.status).toBe(422);
  expect(wrongPlaces(rejected)).toEqual(["body.account_id"]);
  const { completeChat } = service.chatClient("grpc");
  expect(await failureOf(completeChat({ chat: ask("gpt-4o", "hi", { accountId: "a1" }) }, { headers }))).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.account_id"],
  });
  expect(asked()).toBe(0);
  expect(await post(paths.egpChat, { ...egpBody, account_id: "a2" }, headers)).toMatchObject({ status: 200 });
});

behaviour(14, async () => {
  const { post, service, asked } = await startStage({ openai: [] }, d1);
  expect(await post(paths.egpDeployment("nope"), historyBody)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining("there is no deployment nope") },
  });
  expect(
    await failureOf(service.chatClient("grpc").completeChat({ chat: ask("deployments/nope", "hi") })),
  ).toMatchObject({ code: "NotFound", reason: "MODEL_NOT_FOUND" });
  expect(asked()).toBe(0);
});

behaviour(15, async () => {
  const deployments = { private: { model: "gpt-4o", account: "a1" } };
  const { post, service, asked } = await startStage({ openai: [] }, { deployments });
  const as = (account: string) => ({ "x-selected-account-id": account });
  const foreign = await post(paths.egpDeployment("private"), historyBody, as("a2"));
  const unknown = await post(paths.egpDeployment("privat9"), historyBody, as("a2"));
  expect([foreign.status, unknown.status]).toEqual([404, 404]);
  // The texts are equal: a different text would reveal that the deployment exists.
  expect(JSON.stringify(foreign.body)).toBe(JSON.stringify(unknown.body).replace("privat9", "private"));
  const { completeChat } = service.chatClient("grpc");
  const chat = ask("deployments/private", "hi");
  expect(await failureOf(completeChat({ chat }, { headers: as("a2") }))).toMatchObject({ code: "NotFound" });
  expect(asked()).toBe(0);

  expect(await post(paths.egpDeployment("private"), historyBody, as("a1"))).toMatchObject({ status: 200 });
  await completeChat({ chat }, { headers: as("a1") });
});

behaviour(16, async () => {
  const stage = await startStage({ cerebras: [], deepinfra: [] });
  const { post, service, sent } = stage;
  await post(paths.cerebras, { ...llamaBody, user: "u1" });
  await post(paths.deepinfra, { ...openBody, user: "u1" });
  await service.chatClient("grpc").completeChat({ chat: ask("llama3.1-8b", "hi", { user: "u1" }) });
  expect(service.records.map(({ user }) => user)).toEqual(["u1", "u1", "u1"]);
  for (const name of ["cerebras", "deepinfra"] as const) {
    // The provider receives the user as a field for its monitoring, not in the prompt.
    expect(sent(name)).toMatchObject({ user: "u1", messages: says("hi") });
    for (const { body } of stage.backend(name).requests) {
      expect(JSON.stringify(JSON.parse(body).messages)).not.toContain("u1");
    }
  }
});
