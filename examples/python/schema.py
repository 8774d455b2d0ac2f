"""Gets JSON of a schema. A response that is not such JSON fails with JSON_GENERATION_FAILED."""

import json

from connect import metadata, service, text_of, user
from dragoman.v1.chat_request_pb2 import ChatRequest
from dragoman.v1.chat_service_pb2 import CompleteChatRequest
from dragoman.v1.output_format_pb2 import JsonSchema, OutputFormat

schema = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
}
output_format = OutputFormat(json_schema=JsonSchema(name="city", schema_json=json.dumps(schema)))
chat = ChatRequest(model="echo/echo", messages=[user("Paris, as JSON")], output_format=output_format)
# What echo/echo returns. Other models need no script.
chat.provider_options["echo"].update({"text": '{"city": "Paris", "population": 2100000}'})
completion = service.CompleteChat(CompleteChatRequest(chat=chat), metadata=metadata).completion
city = json.loads(text_of(completion.choices[0].message))
print(f"{city['city']} has {city['population']} inhabitants")
