// A client with the generated code of clients/go. Usage: client HOST:PORT. Prints one line of JSON per scenario that
// clients/go leaves out.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	dragoman "dragoman.internal/gen/dragoman/v1"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // registers the message types of the error details
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// result is the result of one scenario.
type result struct {
	Story        string                     `json:"story"`
	Events       []string                   `json:"events,omitempty"`
	Text         string                     `json:"text"`
	Length       int                        `json:"length,omitempty"`
	OutputTokens int32                      `json:"output_tokens,omitempty"`
	InputTokens  int32                      `json:"input_tokens,omitempty"`
	Vectors      [][]float32                `json:"vectors,omitempty"`
	Code         uint32                     `json:"code"`
	Message      string                     `json:"message,omitempty"`
	Details      map[string]json.RawMessage `json:"details,omitempty"`
}

type script = map[string]any

func ask(text string, does script) *dragoman.ChatRequest {
	part := &dragoman.Part{Kind: &dragoman.Part_Text{Text: text}}
	message := &dragoman.Message{Role: dragoman.Role_ROLE_USER, Parts: []*dragoman.Part{part}}
	chat := &dragoman.ChatRequest{Model: "echo/echo", Messages: []*dragoman.Message{message}}
	if does != nil {
		options, err := structpb.NewStruct(does)
		check(err)
		chat.ProviderOptions = map[string]*structpb.Struct{"echo": options}
	}
	return chat
}

// fail adds the code, message and typed details of an error.
func (t *result) fail(err error) {
	failure := status.Convert(err)
	t.Code, t.Message, t.Details = uint32(failure.Code()), failure.Message(), map[string]json.RawMessage{}
	for _, detail := range failure.Details() {
		message, ok := detail.(proto.Message)
		if !ok {
			continue
		}
		text, err := protojson.Marshal(message)
		check(err)
		t.Details[string(message.ProtoReflect().Descriptor().FullName())] = text
	}
}

func complete(ctx context.Context, client dragoman.ChatServiceClient, chat *dragoman.ChatRequest, options ...grpc.CallOption) (t result) {
	answer, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat}, options...)
	if err != nil {
		t.fail(err)
		return t
	}
	var text strings.Builder
	for _, part := range answer.Completion.Choices[0].Message.Parts {
		text.WriteString(part.GetText())
	}
	t.Length, t.OutputTokens = text.Len(), answer.Completion.Usage.OutputTokens
	t.Text = text.String()[:min(80, text.Len())]
	return t
}

// stream reads a stream to its end.
func stream(ctx context.Context, client dragoman.ChatServiceClient, chat *dragoman.ChatRequest) (t result) {
	call, err := client.StreamChat(ctx, &dragoman.StreamChatRequest{Chat: chat})
	check(err)
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return t
		}
		if err != nil {
			t.fail(err)
			return t
		}
		switch event := response.Event.(type) {
		case *dragoman.StreamChatResponse_Started:
			t.Events = append(t.Events, "started")
		case *dragoman.StreamChatResponse_Delta:
			t.Events = append(t.Events, "delta")
			t.Text += event.Delta.GetText()
		case *dragoman.StreamChatResponse_Finished:
			t.Events = append(t.Events, "finished")
		case *dragoman.StreamChatResponse_Completed:
			t.Events = append(t.Events, "completed")
		}
	}
}

func embed(ctx context.Context, client dragoman.EmbeddingServiceClient) (t result) {
	dimensions := int32(4)
	request := &dragoman.EmbedRequest{Model: "echo/embed", Dimensions: &dimensions}
	for _, text := range []string{"one two", "three"} {
		request.Inputs = append(request.Inputs, &dragoman.EmbeddingInput{Kind: &dragoman.EmbeddingInput_Text{Text: text}})
	}
	response, err := client.Embed(ctx, request)
	check(err)
	for _, embedding := range response.Embeddings {
		t.Vectors = append(t.Vectors, embedding.Values)
	}
	t.InputTokens = response.Usage.InputTokens
	return t
}

func main() {
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	client := dragoman.NewChatServiceClient(connection)
	tell := func(name string, t result) {
		t.Story = name
		check(json.NewEncoder(os.Stdout).Encode(t))
	}
	named := func(name string) context.Context {
		return metadata.AppendToOutgoingContext(context.Background(), "x-request-id", "go-"+name)
	}
	unary := func(name string, chat *dragoman.ChatRequest, options ...grpc.CallOption) {
		tell(name, complete(named(name), client, chat, options...))
	}
	deltas := []any{"so ", "far"}
	limited := func(after int) script {
		fail := script{"reason": "PROVIDER_RATE_LIMITED", "retry_after_ms": 1500, "http_status": 429, "after": after}
		return script{"deltas": deltas, "fail": fail}
	}

	ctx, cancel := context.WithTimeout(named("deadline"), 500*time.Millisecond)
	tell("deadline", stream(ctx, client, ask("", script{"deltas": deltas, "stall": script{"after": 2}})))
	cancel()

	unary("limited", ask("", limited(0)))
	tell("interrupted", stream(named("interrupted"), client, ask("", limited(2))))

	unknown := ask("", nil)
	unknown.Model = "modèle-日本-😀"
	unary("unknown", unknown)

	unary("compressed", ask(strings.Repeat("squeeze me ", 10_000), nil), grpc.UseCompressor(gzip.Name))

	megabytes := ask("", script{"text": "a b c d e", "large": 1 << 20})
	unary("too_large", megabytes)
	unary("large", megabytes, grpc.MaxCallRecvMsgSize(16<<20))

	tell("embed", embed(named("embed"), dragoman.NewEmbeddingServiceClient(connection)))

	counted := ask("one two three", nil)
	counted.Model = "openai/gpt-4o"
	count, err := dragoman.NewTokenServiceClient(connection).CountTokens(named("count"), &dragoman.CountTokensRequest{Chat: counted})
	check(err)
	tell("count", result{InputTokens: count.InputTokens})
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
