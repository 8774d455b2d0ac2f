package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// stream prints a response while it comes. A stream that ends without Completed is incomplete; its status is the error.
func stream(ctx context.Context, client dragoman.ChatServiceClient) {
	chat := &dragoman.ChatRequest{
		Model:    "echo/echo",
		Messages: []*dragoman.Message{user("What is the capital of France?")},
	}
	call, err := client.StreamChat(ctx, &dragoman.StreamChatRequest{Chat: chat})
	check(err)
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
			fmt.Printf("\n%d output tokens\n", event.Completed.Usage.OutputTokens)
		}
	}
}
