"""OpenAI's client for Python: chat, Responses and embeddings."""

import json
from functools import cache

import harness
import openai
from harness import City, Place

TOOL = {"name": "weather", "description": "Tells the weather.", "parameters": harness.CITY_SCHEMA, "strict": True}


@cache
def shared(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="caller-key", max_retries=0, timeout=20)


def client(case):
    return shared(case.url).with_options(default_headers=case.headers)


class Chat:
    def ask(case, **fields):
        messages = [{"role": "user", "content": case.prompt}]
        return client(case).chat.completions.create(**{"model": case.model, "messages": messages, **fields})

    def unary(case):
        answer = Chat.ask(case)
        usage = answer.usage
        return {
            "text": answer.choices[0].message.content,
            "end": answer.choices[0].finish_reason,
            "tokens": [usage.prompt_tokens, usage.completion_tokens],
        }

    def stream(case):
        text, end = "", None
        for chunk in Chat.ask(case, stream=True, stream_options={"include_usage": True}):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                end = choice.finish_reason or end
            usage = chunk.usage
        return {"text": text, "end": end, "tokens": [usage.prompt_tokens, usage.completion_tokens]}

    def tools(case):
        messages = [{"role": "user", "content": case.prompt}]
        while True:
            message = Chat.ask(case, messages=messages, tools=[{"type": "function", "function": TOOL}]).choices[0].message
            if not message.tool_calls:
                return {"text": message.content}
            # Send the message back unchanged, with all its fields.
            messages.append(message)
            for call in message.tool_calls:
                result = case.weather(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def streamed_tools(case):
        messages = [{"role": "user", "content": case.prompt}]
        tools = [openai.pydantic_function_tool(City, name="weather")]
        while True:
            sent = {"model": case.model, "messages": messages, "tools": tools}
            with client(case).chat.completions.stream(**sent) as stream:
                message = stream.get_final_completion().choices[0].message
            if not message.tool_calls:
                return {"text": message.content}
            messages.append(message)
            for call in message.tool_calls:
                result = case.weather(call.function.parsed_arguments.city)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def structured(case):
        messages = [{"role": "user", "content": case.prompt}]
        answer = client(case).chat.completions.parse(model=case.model, messages=messages, response_format=Place)
        return {"value": answer.choices[0].message.parsed.model_dump()}

    def invalid(case):
        return Chat.ask(case, temperature=3)

    def limited(case):
        return Chat.ask(case)

    def cut(case):
        return Chat.stream(case)

    def models(case):
        return {"models": [model.id for model in client(case).models.list()]}

    def cancel(case):
        with Chat.ask(case, stream=True) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    return {"text": chunk.choices[0].delta.content}


class Responses:
    def ask(case, **fields):
        return client(case).responses.create(**{"model": case.model, "input": case.prompt, **fields})

    def unary(case):
        answer = Responses.ask(case)
        usage = answer.usage
        return {"text": answer.output_text, "end": answer.status, "tokens": [usage.input_tokens, usage.output_tokens]}

    def stream(case):
        text, last = "", None
        for event in Responses.ask(case, stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
            last = event
        usage = last.response.usage
        return {"text": text, "end": last.response.status, "tokens": [usage.input_tokens, usage.output_tokens]}

    def rounds(case, ask):
        items = [{"role": "user", "content": case.prompt}]
        while True:
            answer = ask(items)
            calls = [item for item in answer.output if item.type == "function_call"]
            if not calls:
                return {"text": answer.output_text}
            # Send every item back unchanged, reasoning included.
            items += answer.output
            for call in calls:
                result = case.weather(**json.loads(call.arguments))
                items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})

    def tools(case):
        tool = {"type": "function", **TOOL}
        include = ["reasoning.encrypted_content"]
        return Responses.rounds(
            case, lambda items: Responses.ask(case, input=items, tools=[tool], store=False, include=include)
        )

    def streamed_tools(case):
        tool = {"type": "function", **TOOL}

        def ask(items):
            sent = {"model": case.model, "input": items, "tools": [tool], "store": False}
            with client(case).responses.stream(**sent, include=["reasoning.encrypted_content"]) as stream:
                return stream.get_final_response()

        return Responses.rounds(case, ask)

    def structured(case):
        answer = client(case).responses.parse(model=case.model, input=case.prompt, text_format=Place)
        return {"value": answer.output_parsed.model_dump()}

    def invalid(case):
        return Responses.ask(case, temperature=3)

    def limited(case):
        return Responses.ask(case)

    def cut(case):
        text, last = "", None
        for event in Responses.ask(case, stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
            last = event
        # This API reports a late failure as an event; the client raises no error for it.
        return {"text": text, "error": {"class": last.type, "code": last.response.error.code}}

    def count(case):
        return {"tokens": [client(case).responses.input_tokens.count(model=case.model, input=case.prompt).input_tokens]}

    def cancel(case):
        with Responses.ask(case, stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    return {"text": event.delta}


class Embeddings:
    def sent(case, **fields):
        return {"model": case.model, "input": [case.prompt, "second"], "extra_body": case.body, **fields}

    def unary(case):
        answer = client(case).embeddings.create(**Embeddings.sent(case))
        return {"vectors": [entry.embedding for entry in answer.data], "tokens": [answer.usage.prompt_tokens]}

    def invalid(case):
        return client(case).embeddings.create(**Embeddings.sent(case, dimensions=-1))

    def limited(case):
        return client(case).embeddings.create(**Embeddings.sent(case))

    async def cancel(case):
        options = {"api_key": "caller-key", "max_retries": 0, "timeout": 20, "default_headers": case.headers}
        async with openai.AsyncOpenAI(base_url=f"{case.url}/v1", **options) as own:
            return await harness.cancelled(own.embeddings.create(**Embeddings.sent(case)))


harness.main({"openai chat": vars(Chat), "openai responses": vars(Responses), "openai embeddings": vars(Embeddings)})
