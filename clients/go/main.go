// A small client of Dragoman. It calls the model echo/echo, which needs no provider: echo repeats the last message, or
// follows the script in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func main() {
	address := os.Getenv("DRAGOMAN_ADDRESS")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	client := dragoman.NewChatServiceClient(connection)
	ctx := context.Background()

	unary(ctx, client)
	stream(ctx, client)
	tool(ctx, client)
	cancel(ctx, client)
	failure(ctx, client)
}

func unary(ctx context.Context, client dragoman.ChatServiceClient) {
	response, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat(user("hello, world"))})
	check(err)
	completion := response.Completion
	fmt.Printf("unary: %s (%d output tokens)\n", text(completion.Choices[0].Message), completion.Usage.OutputTokens)
}

func stream(ctx context.Context, client dragoman.ChatServiceClient) {
	call, err := client.StreamChat(ctx, &dragoman.StreamChatRequest{Chat: chat(user("hello again, world"))})
	check(err)
	fmt.Print("stream: ")
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		switch event := response.Event.(type) {
		case *dragoman.StreamChatResponse_Delta:
			fmt.Print(event.Delta.GetText())
		case *dragoman.StreamChatResponse_Completed:
			fmt.Printf(" (%d output tokens)\n", event.Completed.Usage.OutputTokens)
		}
	}
}

// tool runs the function that the model calls, and sends its result back.
func tool(ctx context.Context, client dragoman.ChatServiceClient) {
	request := chat(user(`{"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}`))
	request.Tools = []*dragoman.Tool{{Kind: &dragoman.Tool_Function{Function: &dragoman.FunctionTool{
		Name:                 "get_weather",
		Description:          "Returns the current weather of a city.",
		ParametersJsonSchema: `{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}`,
	}}}}
	response, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: request})
	check(err)
	answer := response.Completion.Choices[0].Message
	request.Messages = append(request.Messages, answer) // Unchanged: providers need all of its parts back.
	for _, part := range answer.Parts {
		if call := part.GetToolCall(); call != nil {
			fmt.Printf("tool call: %s %s\n", call.Name, call.ArgumentsJson)
			request.Messages = append(request.Messages, toolResult(call.Id, "18 degrees and sunny"))
		}
	}
	response, err = client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: request})
	check(err)
	fmt.Printf("tool answer: %s\n", text(response.Completion.Choices[0].Message))
}

// cancel cancels a stream at its first delta. Dragoman then aborts the upstream request.
func cancel(ctx context.Context, client dragoman.ChatServiceClient) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	script := `{"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}`
	call, err := client.StreamChat(ctx, &dragoman.StreamChatRequest{Chat: chat(user(script))})
	check(err)
	text := ""
	for {
		response, err := call.Recv()
		if err != nil {
			fmt.Printf("cancel: status %d after %s\n", status.Code(err), text)
			return
		}
		if delta := response.GetDelta(); delta != nil {
			text += delta.GetText()
			cancel()
		}
	}
}

// failure sends an invalid request and prints the details of the error.
func failure(ctx context.Context, client dragoman.ChatServiceClient) {
	request := chat(user("hello"))
	request.Parameters = &dragoman.GenerationParameters{Temperature: proto.Float64(3)}
	_, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: request})
	failed := status.Convert(err)
	fmt.Printf("error: status %d\n", failed.Code())
	for _, detail := range failed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Printf("reason: %s %s\n", detail.Domain, detail.Reason)
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				fmt.Printf("violation: %s: %s\n", violation.Field, violation.Description)
			}
		case *dragoman.CallInfo:
			fmt.Printf("call: %s\n", detail.CallId)
		}
	}
}

func chat(messages ...*dragoman.Message) *dragoman.ChatRequest {
	return &dragoman.ChatRequest{Model: "echo/echo", Messages: messages}
}

func user(text string) *dragoman.Message {
	parts := []*dragoman.Part{{Kind: &dragoman.Part_Text{Text: text}}}
	return &dragoman.Message{Role: dragoman.Role_ROLE_USER, Parts: parts}
}

func toolResult(id, text string) *dragoman.Message {
	parts := []*dragoman.ToolResultPart{{Kind: &dragoman.ToolResultPart_Text{Text: text}}}
	result := &dragoman.ToolResult{ToolCallId: id, Parts: parts}
	return &dragoman.Message{
		Role:  dragoman.Role_ROLE_TOOL,
		Parts: []*dragoman.Part{{Kind: &dragoman.Part_ToolResult{ToolResult: result}}},
	}
}

// text returns the text of a message. It skips parts of other kinds, also of kinds that later versions add.
func text(message *dragoman.Message) string {
	var text strings.Builder
	for _, part := range message.Parts {
		text.WriteString(part.GetText())
	}
	return text.String()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
