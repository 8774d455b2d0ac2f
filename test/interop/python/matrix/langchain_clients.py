"""LangChain's ChatOpenAI (chat and Responses), ChatAnthropic and OpenAIEmbeddings; tools run in create_agent."""

import harness
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from harness import City, Place


def openai_chat(case, **fields):
    return ChatOpenAI(
        model=case.model,
        base_url=f"{case.url}/v1",
        api_key="caller-key",
        max_retries=0,
        timeout=20,
        default_headers=case.headers,
        **fields,
    )


def openai_responses(case, **fields):
    return openai_chat(case, use_responses_api=True, **fields)


def anthropic(case, **fields):
    return ChatAnthropic(
        model=case.model,
        base_url=case.url,
        api_key="caller-key",
        max_retries=0,
        timeout=20,
        max_tokens=2000,
        default_headers=case.headers,
        **fields,
    )


def summary(message):
    usage, metadata = message.usage_metadata, message.response_metadata
    return {
        "text": message.text,
        "end": metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("status"),
        "tokens": [usage["input_tokens"], usage["output_tokens"]],
    }


def chat(create):
    """Returns the cases of a chat model."""

    def agent(case):
        @tool
        def weather(city: str) -> str:
            """Tells the weather."""
            return case.weather(city)

        return create_agent(create(case), tools=[weather])

    def asked(case):
        return {"messages": [{"role": "user", "content": case.prompt}]}

    def unary(case):
        return summary(create(case).invoke(case.prompt))

    def stream(case):
        whole = None
        for chunk in create(case, stream_usage=True).stream(case.prompt):
            whole = chunk if whole is None else whole + chunk
        return summary(whole)

    def tools(case):
        return {"text": agent(case).invoke(asked(case))["messages"][-1].text}

    def streamed_tools(case):
        texts = {}
        for chunk, metadata in agent(case).stream(asked(case), stream_mode="messages"):
            if metadata["langgraph_node"] == "model":
                step = metadata["langgraph_step"]
                texts[step] = texts.get(step, "") + chunk.text
        return {"text": list(texts.values())[-1]}

    def structured(case):
        return {"value": create(case).with_structured_output(Place, method="json_schema").invoke(case.prompt).model_dump()}

    def called(case):
        how = {"method": "function_calling"}
        return {"value": create(case).with_structured_output(City, **how).invoke(case.prompt).model_dump()}

    def invalid(case):
        return create(case, temperature=3).invoke(case.prompt)

    def limited(case):
        return create(case).invoke(case.prompt)

    def cancel(case):
        parts = create(case).stream(case.prompt)
        for chunk in parts:
            if chunk.text:
                parts.close()
                return {"text": chunk.text}

    return {
        "unary": unary,
        "stream": stream,
        "tools": tools,
        "streamed_tools": streamed_tools,
        "structured": structured,
        "structured_by_tool": called,
        "invalid": invalid,
        "limited": limited,
        "cut": stream,
        "cancel": cancel,
    }


class Embeddings:
    def create(case, **fields):
        return OpenAIEmbeddings(
            model=case.model,
            base_url=f"{case.url}/v1",
            api_key="caller-key",
            max_retries=0,
            timeout=20,
            default_headers=case.headers,
            # Otherwise the client downloads OpenAI's vocabulary, and sends token ids of it to any model.
            check_embedding_ctx_length=False,
            model_kwargs={"extra_body": case.body},
            **fields,
        )

    def unary(case):
        return {"vectors": Embeddings.create(case).embed_documents([case.prompt, "second"])}

    def invalid(case):
        return Embeddings.create(case, dimensions=-1).embed_query(case.prompt)

    def limited(case):
        return Embeddings.create(case).embed_query(case.prompt)

    async def cancel(case):
        return await harness.cancelled(Embeddings.create(case).aembed_query(case.prompt))


harness.main(
    {
        "langchain ChatOpenAI": chat(openai_chat),
        "langchain ChatOpenAI, Responses": chat(openai_responses),
        "langchain ChatAnthropic": chat(anthropic),
        "langchain OpenAIEmbeddings": vars(Embeddings),
    }
)
