package main

import (
	"context"
	"fmt"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// turns continues a conversation: the second request has all messages of the first one, and its response.
func turns(ctx context.Context, client dragoman.ChatServiceClient) {
	chat := &dragoman.ChatRequest{
		Model:    "echo/echo",
		Messages: []*dragoman.Message{user("What is the capital of France?")},
	}
	answer := complete(ctx, client, chat).Choices[0].Message
	fmt.Println(textOf(answer))

	chat.Messages = append(chat.Messages, answer, user("And of Italy?"))
	completion := complete(ctx, client, chat)
	fmt.Println(textOf(completion.Choices[0].Message))
	fmt.Printf("%d input tokens\n", completion.Usage.InputTokens)
}
