"""Runs the function that the model calls, and sends its result back."""

from connect import metadata, service, text_of, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest
from dragoman.v1.message_pb2 import ROLE_TOOL, Message, Part, ToolResult, ToolResultPart
from dragoman.v1.tool_pb2 import FunctionTool, Tool

get_weather = FunctionTool(
    name="get_weather",
    description="Returns the weather of a city.",
    parameters_json_schema='{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
)
chat = ChatRequest(
    model="echo/echo", messages=[user("What is the weather in Paris?")], tools=[Tool(function=get_weather)]
)

# The script makes echo/echo call the function. Other models need none.
chat.provider_options["echo"].update({"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]})
answer = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion.choices[0].message
del chat.provider_options["echo"]

# The message of the model goes back unchanged: providers need all of its parts.
chat.messages.append(answer)
for part in answer.parts:
    if part.WhichOneof("kind") == "tool_call":
        print(part.tool_call.name, part.tool_call.arguments_json)
        result = ToolResult(tool_call_id=part.tool_call.id, parts=[ToolResultPart(text="18 degrees and sunny")])
        chat.messages.append(Message(role=ROLE_TOOL, parts=[Part(tool_result=result)]))
completion = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion
print(text_of(completion.choices[0].message))
