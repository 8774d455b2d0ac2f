import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import dragoman.v1.ChatCompletion;
import dragoman.v1.ChatRequest;
import dragoman.v1.ChatServiceGrpc;
import dragoman.v1.ChatServiceGrpc.ChatServiceBlockingStub;
import dragoman.v1.CompleteChatRequest;
import dragoman.v1.Message;
import dragoman.v1.Part;
import dragoman.v1.Role;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;

/** The service that all examples call, and short names for messages. */
final class Service {
  final ChatServiceBlockingStub stub;

  Service(Channel channel) {
    Metadata headers = new Metadata();
    String key = System.getenv("DRAGOMAN_API_KEY");
    if (key != null) headers.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), key);
    stub = ChatServiceGrpc.newBlockingStub(channel).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  static ManagedChannel connect() throws IOException {
    String address = System.getenv().getOrDefault("DRAGOMAN_ADDRESS", "127.0.0.1:50051");
    String authority = System.getenv("DRAGOMAN_CA");
    ChannelCredentials credentials =
        authority == null
            ? InsecureChannelCredentials.create()
            : TlsChannelCredentials.newBuilder().trustManager(new File(authority)).build();
    // Most clients reject responses above 4 MiB. Responses with audio or images can be larger.
    return Grpc.newChannelBuilder(address, credentials).maxInboundMessageSize(64 << 20).build();
  }

  ChatCompletion complete(ChatRequest.Builder chat) {
    return stub.completeChat(CompleteChatRequest.newBuilder().setChat(chat).build()).getCompletion();
  }

  static ChatRequest.Builder chat(Message... messages) {
    return ChatRequest.newBuilder().setModel("echo/echo").addAllMessages(java.util.List.of(messages));
  }

  static Message user(String text) {
    return Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(text)).build();
  }

  /** A script that echo/echo follows. Other models need none. */
  static Struct script(String json) throws InvalidProtocolBufferException {
    Struct.Builder script = Struct.newBuilder();
    JsonFormat.parser().merge(json, script);
    return script.build();
  }

  /** Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add. */
  static String textOf(Message message) {
    StringBuilder text = new StringBuilder();
    for (Part part : message.getPartsList()) text.append(part.getText());
    return text.toString();
  }
}
