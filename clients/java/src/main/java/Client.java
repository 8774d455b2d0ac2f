import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dragoman.v1.CallInfo;
import dragoman.v1.ChatRequest;
import dragoman.v1.ChatServiceGrpc;
import dragoman.v1.ChatServiceGrpc.ChatServiceBlockingStub;
import dragoman.v1.CompleteChatRequest;
import dragoman.v1.FunctionTool;
import dragoman.v1.GenerationParameters;
import dragoman.v1.Message;
import dragoman.v1.Part;
import dragoman.v1.Role;
import dragoman.v1.StreamChatRequest;
import dragoman.v1.StreamChatResponse;
import dragoman.v1.Tool;
import dragoman.v1.ToolCall;
import dragoman.v1.ToolResult;
import dragoman.v1.ToolResultPart;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Iterator;

/**
 * A small client of Dragoman. It calls the model echo/echo, which needs no provider: echo repeats the last message, or
 * follows the script in it.
 */
public final class Client {
  private final ChatServiceBlockingStub service;

  private Client(ChatServiceBlockingStub service) {
    this.service = service;
  }

  public static void main(String[] arguments) throws Exception {
    String address = System.getenv().getOrDefault("DRAGOMAN_ADDRESS", "127.0.0.1:50051");
    ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    try {
      Client client = new Client(ChatServiceGrpc.newBlockingStub(channel));
      client.unary();
      client.stream();
      client.tool();
      client.cancel();
      client.failure();
    } finally {
      channel.shutdownNow();
    }
  }

  private void unary() {
    var request = CompleteChatRequest.newBuilder().setChat(chat(user("hello, world"))).build();
    var completion = service.completeChat(request).getCompletion();
    String text = textOf(completion.getChoices(0).getMessage());
    System.out.printf("unary: %s (%d output tokens)%n", text, completion.getUsage().getOutputTokens());
  }

  private void stream() {
    System.out.print("stream: ");
    Iterator<StreamChatResponse> responses = service.streamChat(streamRequest(user("hello again, world")));
    while (responses.hasNext()) {
      StreamChatResponse response = responses.next();
      switch (response.getEventCase()) {
        case DELTA -> System.out.print(response.getDelta().getText());
        case COMPLETED ->
            System.out.printf(" (%d output tokens)%n", response.getCompleted().getUsage().getOutputTokens());
        default -> {}
      }
    }
  }

  /** Runs the function that the model calls, and sends its result back. */
  private void tool() {
    String script = """
        {"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}""";
    String schema = """
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}""";
    FunctionTool getWeather = FunctionTool.newBuilder()
        .setName("get_weather")
        .setDescription("Returns the current weather of a city.")
        .setParametersJsonSchema(schema)
        .build();
    var request = chat(user(script)).toBuilder().addTools(Tool.newBuilder().setFunction(getWeather));
    Message answer = complete(request);
    request.addMessages(answer); // Unchanged: providers need all of its parts back.
    for (Part part : answer.getPartsList()) {
      if (part.hasToolCall()) {
        ToolCall call = part.getToolCall();
        System.out.printf("tool call: %s %s%n", call.getName(), call.getArgumentsJson());
        request.addMessages(toolResult(call.getId(), "18 degrees and sunny"));
      }
    }
    System.out.printf("tool answer: %s%n", textOf(complete(request)));
  }

  /** Cancels a stream at its first delta. Dragoman then aborts the upstream request. */
  private void cancel() {
    String script = """
        {"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}""";
    var text = new StringBuilder();
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(() -> {
      try {
        service.streamChat(streamRequest(user(script))).forEachRemaining(response -> {
          if (response.hasDelta()) {
            text.append(response.getDelta().getText());
            context.cancel(null);
          }
        });
      } catch (StatusRuntimeException exception) {
        System.out.printf("cancel: status %d after %s%n", exception.getStatus().getCode().value(), text);
      }
    });
  }

  /** Sends an invalid request and prints the details of the error. */
  private void failure() throws InvalidProtocolBufferException {
    var parameters = GenerationParameters.newBuilder().setTemperature(3);
    try {
      complete(chat(user("hello")).toBuilder().setParameters(parameters));
    } catch (StatusRuntimeException exception) {
      System.out.printf("error: status %d%n", exception.getStatus().getCode().value());
      for (Any detail : StatusProto.fromThrowable(exception).getDetailsList()) {
        printDetail(detail);
      }
    }
  }

  private static void printDetail(Any detail) throws InvalidProtocolBufferException {
    if (detail.is(ErrorInfo.class)) {
      ErrorInfo info = detail.unpack(ErrorInfo.class);
      System.out.printf("reason: %s %s%n", info.getDomain(), info.getReason());
    } else if (detail.is(BadRequest.class)) {
      for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
        System.out.printf("violation: %s: %s%n", violation.getField(), violation.getDescription());
      }
    } else if (detail.is(CallInfo.class)) {
      System.out.printf("call: %s%n", detail.unpack(CallInfo.class).getCallId());
    }
  }

  private Message complete(ChatRequest.Builder chat) {
    var request = CompleteChatRequest.newBuilder().setChat(chat).build();
    return service.completeChat(request).getCompletion().getChoices(0).getMessage();
  }

  private static StreamChatRequest streamRequest(Message message) {
    return StreamChatRequest.newBuilder().setChat(chat(message)).build();
  }

  private static ChatRequest chat(Message message) {
    return ChatRequest.newBuilder().setModel("echo/echo").addMessages(message).build();
  }

  private static Message user(String text) {
    return Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(text)).build();
  }

  private static Message toolResult(String id, String text) {
    var result = ToolResult.newBuilder().setToolCallId(id).addParts(ToolResultPart.newBuilder().setText(text));
    return Message.newBuilder().setRole(Role.ROLE_TOOL).addParts(Part.newBuilder().setToolResult(result)).build();
  }

  /** Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add. */
  private static String textOf(Message message) {
    var text = new StringBuilder();
    message.getPartsList().forEach(part -> text.append(part.getText()));
    return text.toString();
  }
}
