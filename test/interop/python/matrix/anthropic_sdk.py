"""Anthropic's client for Python: messages and count_tokens."""

from functools import cache

import anthropic
import harness
from anthropic import beta_tool
from harness import Place


@cache
def shared(url):
    return anthropic.Anthropic(base_url=url, api_key="caller-key", max_retries=0, timeout=20)


def client(case):
    return shared(case.url).with_options(default_headers=case.headers)


def sent(case, **fields):
    messages = [{"role": "user", "content": case.prompt}]
    return {"model": case.model, "max_tokens": 2000, "messages": messages, **fields}


def summary(message):
    text = "".join(block.text for block in message.content if block.type == "text")
    return {
        "text": text,
        "end": message.stop_reason,
        "tokens": [message.usage.input_tokens, message.usage.output_tokens],
    }


class Messages:
    def unary(case):
        return summary(client(case).messages.create(**sent(case)))

    def stream(case):
        with client(case).messages.stream(**sent(case)) as stream:
            text = "".join(stream.text_stream)
            return {**summary(stream.get_final_message()), "text": text}

    def runner(case, **fields):
        @beta_tool
        def weather(city: str) -> str:
            """Tells the weather.

            Args:
                city: The name of the city.
            """
            return case.weather(city)

        return client(case).beta.messages.tool_runner(**sent(case, tools=[weather], **fields))

    def tools(case):
        return {"text": summary(Messages.runner(case).until_done())["text"]}

    def streamed_tools(case):
        for stream in Messages.runner(case, stream=True):
            message = stream.get_final_message()
        return {"text": summary(message)["text"]}

    def structured(case):
        answer = client(case).messages.parse(**sent(case, output_format=Place))
        return {"value": answer.parsed_output.model_dump()}

    def invalid(case):
        return client(case).messages.create(**sent(case), extra_body={"temperature": 3})

    def limited(case):
        return client(case).messages.create(**sent(case))

    def cut(case):
        with client(case).messages.stream(**sent(case)) as stream:
            return {"text": "".join(stream.text_stream)}

    def models(case):
        return {"models": [model.id for model in client(case).models.list()]}

    def cancel(case):
        with client(case).messages.stream(**sent(case)) as stream:
            for text in stream.text_stream:
                return {"text": text}


class CountTokens:
    def ask(case, **fields):
        messages = [{"role": "user", "content": case.prompt}]
        return client(case).messages.count_tokens(**{"model": case.model, "messages": messages, **fields})

    def count(case):
        return {"tokens": [CountTokens.ask(case).input_tokens]}

    def invalid(case):
        return CountTokens.ask(case, messages=[])


harness.main({"anthropic messages": vars(Messages), "anthropic count_tokens": vars(CountTokens)})
