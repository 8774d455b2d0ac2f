package main

import (
	"context"
	"fmt"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// unary makes one call with one response.
func unary(ctx context.Context, client dragoman.ChatServiceClient) {
	chat := &dragoman.ChatRequest{
		Model:    "echo/echo",
		Messages: []*dragoman.Message{user("What is the capital of France?")},
	}
	completion := complete(ctx, client, chat)
	fmt.Println(textOf(completion.Choices[0].Message))
	fmt.Printf("%d input tokens, %d output tokens\n", completion.Usage.InputTokens, completion.Usage.OutputTokens)
}
