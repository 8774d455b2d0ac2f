"""Pydantic AI with OpenAI's chat and Responses APIs and Anthropic's Messages; the agent runs the tools."""

from functools import cache

import harness
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from harness import City, Place


@cache
def shared_openai(url):
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="caller-key", max_retries=0, timeout=20)


@cache
def shared_anthropic(url):
    return AsyncAnthropic(base_url=url, api_key="caller-key", max_retries=0, timeout=20)


def openai_provider(case):
    return OpenAIProvider(openai_client=shared_openai(case.url).with_options(default_headers=case.headers))


def anthropic_provider(case):
    own = shared_anthropic(case.url).with_options(default_headers=case.headers)
    return AnthropicProvider(anthropic_client=own)


def openai_chat(case):
    return OpenAIChatModel(case.model, provider=openai_provider(case))


def openai_responses(case):
    # Pydantic AI decides by the name whether a model has encrypted reasoning.
    profile = OpenAIModelProfile(openai_supports_encrypted_reasoning_content=True)
    return OpenAIResponsesModel(case.model, provider=openai_provider(case), profile=profile)


def anthropic(case):
    # Pydantic AI decides by the name whether a model has structured output.
    profile = ModelProfile(supports_json_schema_output=True)
    return AnthropicModel(case.model, provider=anthropic_provider(case), profile=profile)


def chat(create):
    """Returns the cases of a model class."""

    def agent(case, **fields):
        return Agent(create(case), **fields)

    def with_tool(case):
        created = agent(case)

        @created.tool_plain
        def weather(city: str) -> str:
            """Tells the weather."""
            return case.weather(city)

        return created

    def summary(result, text):
        response, usage = result.all_messages()[-1], result.usage
        usage = usage() if callable(usage) else usage
        return {"text": text, "end": response.finish_reason, "tokens": [usage.input_tokens, usage.output_tokens]}

    async def unary(case):
        result = await agent(case).run(case.prompt)
        return summary(result, result.output)

    async def stream(case):
        async with agent(case).run_stream(case.prompt) as result:
            text = "".join([part async for part in result.stream_text(delta=True, debounce_by=None)])
        return summary(result, text)

    async def tools(case):
        return {"text": (await with_tool(case).run(case.prompt)).output}

    async def streamed_tools(case):
        async with with_tool(case).run_stream(case.prompt) as result:
            return {"text": "".join([part async for part in result.stream_text(delta=True, debounce_by=None)])}

    async def structured(case):
        result = await agent(case, output_type=NativeOutput(Place)).run(case.prompt)
        return {"value": result.output.model_dump()}

    async def structured_by_tool(case):
        result = await agent(case, output_type=ToolOutput(City, name="City")).run(case.prompt)
        return {"value": result.output.model_dump()}

    async def invalid(case):
        return await agent(case, model_settings={"temperature": 3}).run(case.prompt)

    async def limited(case):
        return await agent(case).run(case.prompt)

    async def cancel(case):
        async with agent(case).run_stream(case.prompt) as result:
            async for part in result.stream_text(delta=True, debounce_by=None):
                return {"text": part}

    return {
        "unary": unary,
        "stream": stream,
        "tools": tools,
        "streamed_tools": streamed_tools,
        "structured": structured,
        "structured_by_tool": structured_by_tool,
        "invalid": invalid,
        "limited": limited,
        "cut": stream,
        "cancel": cancel,
    }


class Embeddings:
    async def embed(case, **settings):
        model = OpenAIEmbeddingModel(case.model, provider=openai_provider(case))
        settings = {"extra_body": case.body, **settings}
        return await model.embed([case.prompt, "second"], input_type="document", settings=settings)

    async def unary(case):
        result = await Embeddings.embed(case)
        return {"vectors": [list(vector) for vector in result.embeddings], "tokens": [result.usage.input_tokens]}

    async def invalid(case):
        return await Embeddings.embed(case, dimensions=-1)

    async def limited(case):
        return await Embeddings.embed(case)

    async def cancel(case):
        return await harness.cancelled(Embeddings.embed(case))


harness.main(
    {
        "pydantic-ai OpenAIChatModel": chat(openai_chat),
        "pydantic-ai OpenAIResponsesModel": chat(openai_responses),
        "pydantic-ai AnthropicModel": chat(anthropic),
        "pydantic-ai OpenAIEmbeddingModel": vars(Embeddings),
    }
)
