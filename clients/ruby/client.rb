# A small client of Dragoman. It calls the model echo/echo, which needs no provider: echo repeats the last message, or
# follows the script in it.

require "grpc"
require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "dragoman/v1/chat_service_services_pb"
require "dragoman/v1/error_pb"

include Dragoman::V1

def main
  address = ENV.fetch("DRAGOMAN_ADDRESS", "127.0.0.1:50051")
  service = ChatService::Stub.new(address, :this_channel_is_insecure)
  unary(service)
  stream(service)
  tool(service)
  cancel(service)
  failure(service)
end

def unary(service)
  completion = service.complete_chat(CompleteChatRequest.new(chat: chat(user("hello, world")))).completion
  puts "unary: #{text_of(completion.choices[0].message)} (#{completion.usage.output_tokens} output tokens)"
end

def stream(service)
  print "stream: "
  service.stream_chat(StreamChatRequest.new(chat: chat(user("hello again, world")))).each do |response|
    case response.event
    when :delta then print response.delta.text
    when :completed then puts " (#{response.completed.usage.output_tokens} output tokens)"
    end
  end
end

# Runs the function that the model calls, and sends its result back.
def tool(service)
  request = chat(user('{"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}'))
  get_weather = FunctionTool.new(
    name: "get_weather",
    description: "Returns the current weather of a city.",
    parameters_json_schema: '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
  )
  request.tools << Tool.new(function: get_weather)
  answer = service.complete_chat(CompleteChatRequest.new(chat: request)).completion.choices[0].message
  request.messages << answer # Unchanged: providers need all of its parts back.
  answer.parts.each do |part|
    next unless part.kind == :tool_call

    puts "tool call: #{part.tool_call.name} #{part.tool_call.arguments_json}"
    request.messages << tool_result(part.tool_call.id, "18 degrees and sunny")
  end
  completion = service.complete_chat(CompleteChatRequest.new(chat: request)).completion
  puts "tool answer: #{text_of(completion.choices[0].message)}"
end

# Cancels a stream at its first delta. Dragoman then aborts the upstream request.
def cancel(service)
  script = '{"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}'
  call = service.stream_chat(StreamChatRequest.new(chat: chat(user(script))), return_op: true)
  text = +""
  call.execute.each do |response|
    next unless response.event == :delta

    text << response.delta.text
    call.cancel
  end
rescue GRPC::BadStatus => error
  puts "cancel: status #{error.code} after #{text}"
end

# Sends an invalid request and prints the details of the error.
def failure(service)
  request = chat(user("hello"))
  request.parameters = GenerationParameters.new(temperature: 3)
  service.complete_chat(CompleteChatRequest.new(chat: request))
rescue GRPC::BadStatus => error
  puts "error: status #{error.code}"
  error.to_rpc_status.details.each { |packed| print_detail(packed) }
end

def print_detail(packed)
  if (info = packed.unpack(Google::Rpc::ErrorInfo))
    puts "reason: #{info.domain} #{info.reason}"
  elsif (bad_request = packed.unpack(Google::Rpc::BadRequest))
    bad_request.field_violations.each { |violation| puts "violation: #{violation.field}: #{violation.description}" }
  elsif (call = packed.unpack(CallInfo))
    puts "call: #{call.call_id}"
  end
end

def chat(*messages)
  ChatRequest.new(model: "echo/echo", messages: messages)
end

def user(text)
  Message.new(role: :ROLE_USER, parts: [Part.new(text: text)])
end

def tool_result(id, text)
  result = ToolResult.new(tool_call_id: id, parts: [ToolResultPart.new(text: text)])
  Message.new(role: :ROLE_TOOL, parts: [Part.new(tool_result: result)])
end

# Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add.
def text_of(message)
  message.parts.select { |part| part.kind == :text }.map(&:text).join
end

main
