import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import dragoman.v1.ChatCompletion;
import dragoman.v1.JsonSchema;
import dragoman.v1.OutputFormat;
import dragoman.v1.StreamChatRequest;
import dragoman.v1.StreamChatResponse;
import java.util.Iterator;

/** One call: a whole response, a stream, JSON. */
final class Calls {
  static void unary(Service service) {
    ChatCompletion completion = service.complete(Service.chat(Service.user("What is the capital of France?")));
    System.out.println(Service.textOf(completion.getChoices(0).getMessage()));
    var usage = completion.getUsage();
    System.out.printf("%d input tokens, %d output tokens%n", usage.getInputTokens(), usage.getOutputTokens());
  }

  /** Prints a response while it comes. A stream that ends without COMPLETED is incomplete and throws its status. */
  static void stream(Service service) {
    var chat = Service.chat(Service.user("What is the capital of France?"));
    Iterator<StreamChatResponse> responses =
        service.stub.streamChat(StreamChatRequest.newBuilder().setChat(chat).build());
    while (responses.hasNext()) {
      StreamChatResponse response = responses.next();
      switch (response.getEventCase()) {
        case DELTA -> System.out.print(response.getDelta().getText());
        case COMPLETED ->
            System.out.printf("%n%d output tokens%n", response.getCompleted().getUsage().getOutputTokens());
        default -> {}
      }
    }
  }

  /** Gets JSON of a schema. A response that is not such JSON fails with JSON_GENERATION_FAILED. */
  static void schema(Service service) throws Exception {
    String schema = """
        {
          "type": "object",
          "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
          "required": ["city", "population"]
        }""";
    var format = JsonSchema.newBuilder().setName("city").setSchemaJson(schema);
    var chat =
        Service.chat(Service.user("Paris, as JSON"))
            .setOutputFormat(OutputFormat.newBuilder().setJsonSchema(format))
            .putProviderOptions("echo", Service.script("""
                {"text": "{\\"city\\": \\"Paris\\", \\"population\\": 2100000}"}"""));
    Struct.Builder city = Struct.newBuilder();
    JsonFormat.parser().merge(Service.textOf(service.complete(chat).getChoices(0).getMessage()), city);
    var fields = city.getFieldsMap();
    System.out.printf(
        "%s has %.0f inhabitants%n", fields.get("city").getStringValue(), fields.get("population").getNumberValue());
  }

  private Calls() {}
}
