import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Scanner;

/**
 * A grpc-java client with default settings and no generated code. Usage: LargestErrors HOST:PORT, with one request
 * message in base64 on each line of standard input. Calls CompleteChat with each, and prints a line of JSON: the status
 * code and, in base64, the message and the trailer grpc-status-details-bin.
 */
public final class LargestErrors {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        }
      };

  private static final MethodDescriptor<byte[], byte[]> COMPLETE_CHAT =
      MethodDescriptor.newBuilder(BYTES, BYTES)
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("dragoman.v1.ChatService/CompleteChat")
          .build();

  public static void main(String[] args) {
    ManagedChannel channel = ManagedChannelBuilder.forTarget(args[0]).usePlaintext().build();
    Scanner requests = new Scanner(System.in);
    while (requests.hasNextLine()) {
      byte[] request = Base64.getDecoder().decode(requests.nextLine());
      System.out.println(failureOf(channel, request));
    }
    channel.shutdownNow();
  }

  private static String failureOf(ManagedChannel channel, byte[] request) {
    try {
      ClientCalls.blockingUnaryCall(channel, COMPLETE_CHAT, CallOptions.DEFAULT, request);
      return "{\"code\": 0}";
    } catch (StatusRuntimeException error) {
      Status status = error.getStatus();
      String message = status.getDescription() == null ? "" : status.getDescription();
      byte[] details = error.getTrailers() == null ? null : error.getTrailers().get(DETAILS);
      return String.format(
          "{\"code\": %d, \"message\": \"%s\", \"details\": \"%s\"}",
          status.getCode().value(),
          Base64.getEncoder().encodeToString(message.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
          details == null ? "" : Base64.getEncoder().encodeToString(details));
    }
  }
}
