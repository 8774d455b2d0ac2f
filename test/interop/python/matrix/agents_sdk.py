"""OpenAI's Agents SDK for Python, over Responses and chat; the runner runs the tools."""

from functools import cache

import harness
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from harness import Place

set_tracing_disabled(True)


@cache
def shared(url):
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="caller-key", max_retries=0, timeout=20)


def client(case):
    return shared(case.url).with_options(default_headers=case.headers)


def cases(model_class):
    """Returns the cases of a model class."""

    def agent(case, **fields):
        model = model_class(model=case.model, openai_client=client(case))
        return Agent(name="helper", instructions="Be brief.", model=model, **fields)

    def with_tool(case):
        @function_tool
        def weather(city: str) -> str:
            """Tells the weather."""
            return case.weather(city)

        return agent(case, tools=[weather])

    def summary(result):
        usage = result.context_wrapper.usage
        return {"text": result.final_output, "tokens": [usage.input_tokens, usage.output_tokens]}

    async def read(case, created):
        text = ""
        result = Runner.run_streamed(created, case.prompt)
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                text += event.data.delta
        return {**summary(result), "text": text}

    async def unary(case):
        return summary(await Runner.run(agent(case), case.prompt))

    async def stream(case):
        return await read(case, agent(case, model_settings=ModelSettings(include_usage=True)))

    async def tools(case):
        return {"text": (await Runner.run(with_tool(case), case.prompt)).final_output}

    async def streamed_tools(case):
        return {"text": (await read(case, with_tool(case)))["text"]}

    async def structured(case):
        return {"value": (await Runner.run(agent(case, output_type=Place), case.prompt)).final_output.model_dump()}

    async def invalid(case):
        return await Runner.run(agent(case, model_settings=ModelSettings(temperature=3)), case.prompt)

    async def limited(case):
        return await Runner.run(agent(case), case.prompt)

    async def cancel(case):
        result = Runner.run_streamed(agent(case), case.prompt)
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                result.cancel()
                return {"text": event.data.delta}

    return {
        "unary": unary,
        "stream": stream,
        "tools": tools,
        "streamed_tools": streamed_tools,
        "structured": structured,
        "invalid": invalid,
        "limited": limited,
        "cut": stream,
        "cancel": cancel,
    }


harness.main(
    {"agents, Responses": cases(OpenAIResponsesModel), "agents, chat": cases(OpenAIChatCompletionsModel)}
)
