"""One call, one response."""

from connect import metadata, service, text_of, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest

chat = ChatRequest(model="echo/echo", messages=[user("What is the capital of France?")])
completion = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion
print(text_of(completion.choices[0].message))
print(f"{completion.usage.input_tokens} input tokens, {completion.usage.output_tokens} output tokens")
