import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dragoman.v1.CompleteChatRequest;
import dragoman.v1.GenerationParameters;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.concurrent.TimeUnit;

/** Calls that fail. */
final class Failures {
  /** Waits at most one second for the whole call. Dragoman then aborts the request to the provider. */
  static void deadline(Service service) throws Exception {
    // A model that never responds.
    var chat = Service.chat(Service.user("hello")).putProviderOptions("echo", Service.script("{\"stall\": {}}"));
    var request = CompleteChatRequest.newBuilder().setChat(chat).build();
    try {
      service.stub.withDeadlineAfter(1, TimeUnit.SECONDS).completeChat(request);
    } catch (StatusRuntimeException error) {
      System.out.println(error.getStatus().getCode());
    }
  }

  /** Reads the details of an error: a reason for programs, and each wrong field with what is wrong. */
  static void errors(Service service) throws Exception {
    var parameters = GenerationParameters.newBuilder().setTemperature(3);
    try {
      service.complete(Service.chat(Service.user("hello")).setParameters(parameters));
    } catch (StatusRuntimeException error) {
      for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          System.out.println(error.getStatus().getCode() + " " + detail.unpack(ErrorInfo.class).getReason());
        } else if (detail.is(BadRequest.class)) {
          for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            System.out.println(violation.getField() + ": " + violation.getDescription());
          }
        }
      }
    }
  }

  private Failures() {}
}
