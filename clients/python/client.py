"""A small client of Dragoman.

It calls the model echo/echo, which needs no provider: echo repeats the last message, or follows the script in it.
"""

import os

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest, StreamChatRequest
from dragoman.v1.chat_service_pb2_grpc import ChatServiceStub
from dragoman.v1.error_pb2 import CallInfo
from dragoman.v1.message_pb2 import ROLE_TOOL, ROLE_USER, Message, Part, ToolResult, ToolResultPart
from dragoman.v1.parameters_pb2 import GenerationParameters
from dragoman.v1.tool_pb2 import FunctionTool, Tool


def main():
    with grpc.insecure_channel(os.environ.get("DRAGOMAN_ADDRESS", "127.0.0.1:50051")) as channel:
        service = ChatServiceStub(channel)
        unary(service)
        stream(service)
        tool(service)
        cancel(service)
        failure(service)


def unary(service):
    completion = service.CompleteChat(CompleteChatRequest(chat=chat(user("hello, world")))).completion
    print(f"unary: {text_of(completion.choices[0].message)} ({completion.usage.output_tokens} output tokens)")


def stream(service):
    print("stream: ", end="")
    for response in service.StreamChat(StreamChatRequest(chat=chat(user("hello again, world")))):
        match response.WhichOneof("event"):
            case "delta":
                print(response.delta.text, end="")
            case "completed":
                print(f" ({response.completed.usage.output_tokens} output tokens)")


def tool(service):
    """Runs the function that the model calls, and sends its result back."""
    request = chat(user('{"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}'))
    get_weather = FunctionTool(
        name="get_weather",
        description="Returns the current weather of a city.",
        parameters_json_schema='{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
    )
    request.tools.append(Tool(function=get_weather))
    answer = service.CompleteChat(CompleteChatRequest(chat=request)).completion.choices[0].message
    request.messages.append(answer)  # Unchanged: providers need all of its parts back.
    for part in answer.parts:
        if part.WhichOneof("kind") == "tool_call":
            print(f"tool call: {part.tool_call.name} {part.tool_call.arguments_json}")
            request.messages.append(tool_result(part.tool_call.id, "18 degrees and sunny"))
    completion = service.CompleteChat(CompleteChatRequest(chat=request)).completion
    print(f"tool answer: {text_of(completion.choices[0].message)}")


def cancel(service):
    """Cancels a stream at its first delta. Dragoman then aborts the upstream request."""
    script = '{"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}'
    call = service.StreamChat(StreamChatRequest(chat=chat(user(script))))
    text = ""
    try:
        for response in call:
            if response.WhichOneof("event") == "delta":
                text += response.delta.text
                call.cancel()
    except grpc.RpcError as error:
        print(f"cancel: status {status_of(error)} after {text}")


def failure(service):
    """Sends an invalid request and prints the details of the error."""
    request = chat(user("hello"))
    request.parameters.CopyFrom(GenerationParameters(temperature=3))
    try:
        service.CompleteChat(CompleteChatRequest(chat=request))
    except grpc.RpcError as error:
        print(f"error: status {status_of(error)}")
        for packed in rpc_status.from_call(error).details:
            print_detail(packed)


def print_detail(packed):
    info, bad_request, call = ErrorInfo(), BadRequest(), CallInfo()
    if packed.Unpack(info):
        print(f"reason: {info.domain} {info.reason}")
    elif packed.Unpack(bad_request):
        for violation in bad_request.field_violations:
            print(f"violation: {violation.field}: {violation.description}")
    elif packed.Unpack(call):
        print(f"call: {call.call_id}")


def chat(*messages):
    return ChatRequest(model="echo/echo", messages=messages)


def user(text):
    return Message(role=ROLE_USER, parts=[Part(text=text)])


def tool_result(call_id, text):
    result = ToolResult(tool_call_id=call_id, parts=[ToolResultPart(text=text)])
    return Message(role=ROLE_TOOL, parts=[Part(tool_result=result)])


def text_of(message):
    """Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add."""
    return "".join(part.text for part in message.parts)


def status_of(error):
    return error.code().value[0]


main()
