import io.grpc.ManagedChannel;
import java.util.Map;

/** Runs one example: {@code mvn -q compile exec:java -Dexec.args=stream}. */
public final class Examples {
  private interface Example {
    void run(Service service) throws Exception;
  }

  private static final Map<String, Example> EXAMPLES =
      Map.of(
          "unary", Calls::unary,
          "stream", Calls::stream,
          "tool", Conversations::tool,
          "image", Conversations::image,
          "schema", Calls::schema,
          "turns", Conversations::turns,
          "deadline", Failures::deadline,
          "errors", Failures::errors);

  public static void main(String[] arguments) throws Exception {
    Example example = arguments.length == 1 ? EXAMPLES.get(arguments[0]) : null;
    if (example == null) {
      System.err.println("write the name of an example: " + String.join(", ", EXAMPLES.keySet().stream().sorted().toList()));
      System.exit(2);
    }
    ManagedChannel channel = Service.connect();
    try {
      example.run(new Service(channel));
    } finally {
      channel.shutdownNow();
    }
  }

  private Examples() {}
}
