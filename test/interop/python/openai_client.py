"""A client with OpenAI's library. Usage: openai_client.py URL, which ends in /v1. Prints a JSON line per scenario."""

import json
import sys

import openai

MODEL = "echo/echo"

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def scripted(**script):
    """Returns messages with a script for the provider echo."""
    return [{"role": "user", "content": json.dumps({"echo": script})}]


def unary(create):
    answer = create(messages=[{"role": "user", "content": "hello from Python 🌍"}], seed=7, user="u1")
    return {"text": answer.choices[0].message.content, "output_tokens": answer.usage.completion_tokens}


def stream(create):
    chunks = list(create(messages=scripted(deltas=["Bon", "jour"]), stream=True, stream_options={"include_usage": True}))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return {"text": text, "output_tokens": chunks[-1].usage.completion_tokens}


def tools(create):
    call = {"id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}}
    messages = scripted(tool_calls=[call])
    asked = create(messages=messages, tools=[WEATHER]).choices[0]
    result = {"role": "tool", "tool_call_id": asked.message.tool_calls[0].id, "content": "rain"}
    # Send the message back unchanged, with all its fields.
    answer = create(messages=[*messages, asked.message, result], tools=[WEATHER])
    arguments = json.loads(asked.message.tool_calls[0].function.arguments)
    return {"finish_reason": asked.finish_reason, "arguments": arguments, "text": answer.choices[0].message.content}


def json_mode(create):
    answer = create(messages=scripted(text='{"city": "Oslo"}'), response_format={"type": "json_object"})
    return {"value": json.loads(answer.choices[0].message.content)}


def not_json(create):
    try:
        create(messages=scripted(text="{city"), response_format={"type": "json_object"})
    except openai.BadRequestError as error:
        return {"code": error.code, "failed_generation": error.body["failed_generation"]}


def wrong(create):
    try:
        create(messages=scripted(text="x"), temperature=3)
    except openai.BadRequestError as error:
        return {"param": error.param, "code": error.code, "request_id": error.request_id}


def limited(create):
    fail = {"reason": "PROVIDER_RATE_LIMITED", "retry_after_ms": 1500, "http_status": 429}
    try:
        create(messages=scripted(fail=fail))
    except openai.RateLimitError as error:
        return {"code": error.code, "retry_after": error.response.headers["retry-after"]}


def interrupted(create):
    texts = []
    fail = {"after": 1, "reason": "PROVIDER_STREAM_INTERRUPTED"}
    try:
        for chunk in create(messages=scripted(deltas=["so ", "far"], fail=fail), stream=True):
            texts.append(chunk.choices[0].delta.content or "")
    except openai.APIError as error:
        return {"text": "".join(texts), "code": error.code}


def cancel(create):
    answer = create(messages=scripted(deltas=["so ", "far"], stall={"after": 1}), stream=True)
    for chunk in answer:
        if chunk.choices[0].delta.content:
            answer.close()
            return {"text": chunk.choices[0].delta.content}


def main(url):
    client = openai.OpenAI(base_url=url, api_key="caller-key", max_retries=0)
    for story in (unary, stream, tools, json_mode, not_json, wrong, limited, interrupted, cancel):
        headers = {"x-request-id": f"openai-{story.__name__}"}

        def create(**fields):
            return client.chat.completions.create(**{"model": MODEL, "extra_headers": headers, **fields})

        print(json.dumps({"story": story.__name__, **(story(create) or {})}), flush=True)
    print(json.dumps({"story": "models", "ids": [model.id for model in client.models.list()]}), flush=True)


main(sys.argv[1])
