"""Reads the details of an error: a reason for programs, and each wrong field with what is wrong."""

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from connect import metadata, service, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest
from dragoman.v1.parameters_pb2 import GenerationParameters

chat = ChatRequest(
    model="echo/echo", messages=[user("hello")], parameters=GenerationParameters(temperature=3)
)
try:
    service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata)
except grpc.RpcError as error:
    for detail in rpc_status.from_call(error).details:
        info, bad_request = ErrorInfo(), BadRequest()
        if detail.Unpack(info):
            print(error.code().name, info.reason)
        elif detail.Unpack(bad_request):
            for violation in bad_request.field_violations:
                print(f"{violation.field}: {violation.description}")
