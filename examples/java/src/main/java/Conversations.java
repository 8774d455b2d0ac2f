import com.google.protobuf.ByteString;
import dragoman.v1.ChatCompletion;
import dragoman.v1.FunctionTool;
import dragoman.v1.Media;
import dragoman.v1.Message;
import dragoman.v1.Part;
import dragoman.v1.Role;
import dragoman.v1.Tool;
import dragoman.v1.ToolCall;
import dragoman.v1.ToolResult;
import dragoman.v1.ToolResultPart;
import java.nio.file.Files;
import java.nio.file.Path;

/** Messages of several parts and turns. */
final class Conversations {
  /** Runs the function that the model calls, and sends its result back. */
  static void tool(Service service) throws Exception {
    FunctionTool getWeather =
        FunctionTool.newBuilder()
            .setName("get_weather")
            .setDescription("Returns the weather of a city.")
            .setParametersJsonSchema("""
                {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}""")
            .build();
    var chat =
        Service.chat(Service.user("What is the weather in Paris?"))
            .addTools(Tool.newBuilder().setFunction(getWeather))
            .putProviderOptions("echo", Service.script("""
                {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}"""));
    Message answer = service.complete(chat).getChoices(0).getMessage();

    // The message of the model goes back unchanged: providers need all of its parts.
    chat.removeProviderOptions("echo").addMessages(answer);
    for (Part part : answer.getPartsList()) {
      if (!part.hasToolCall()) continue;
      ToolCall call = part.getToolCall();
      System.out.println(call.getName() + " " + call.getArgumentsJson());
      chat.addMessages(result(call.getId(), "18 degrees and sunny"));
    }
    System.out.println(Service.textOf(service.complete(chat).getChoices(0).getMessage()));
  }

  private static Message result(String id, String text) {
    var result =
        ToolResult.newBuilder().setToolCallId(id).addParts(ToolResultPart.newBuilder().setText(text));
    return Message.newBuilder()
        .setRole(Role.ROLE_TOOL)
        .addParts(Part.newBuilder().setToolResult(result))
        .build();
  }

  /** Asks about a picture. echo/echo writes its type in place of it. */
  static void image(Service service) throws Exception {
    ByteString data = ByteString.copyFrom(Files.readAllBytes(Path.of("../picture.png")));
    var picture = Part.newBuilder().setMedia(Media.newBuilder().setMediaType("image/png").setData(data));
    Message message = Service.user("What is in this picture?").toBuilder().addParts(picture).build();
    System.out.println(Service.textOf(service.complete(Service.chat(message)).getChoices(0).getMessage()));
  }

  /** Continues a conversation: the second request has all messages of the first one, and its response. */
  static void turns(Service service) {
    var chat = Service.chat(Service.user("What is the capital of France?"));
    Message answer = service.complete(chat).getChoices(0).getMessage();
    System.out.println(Service.textOf(answer));

    ChatCompletion completion = service.complete(chat.addMessages(answer).addMessages(Service.user("And of Italy?")));
    System.out.println(Service.textOf(completion.getChoices(0).getMessage()));
    System.out.printf("%d input tokens%n", completion.getUsage().getInputTokens());
  }

  private Conversations() {}
}
