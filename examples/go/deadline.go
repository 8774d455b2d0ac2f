package main

import (
	"context"
	"fmt"
	"time"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// deadline waits at most one second for the whole call. Dragoman then aborts the request to the provider.
func deadline(ctx context.Context, client dragoman.ChatServiceClient) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	chat := &dragoman.ChatRequest{Model: "echo/echo", Messages: []*dragoman.Message{user("hello")}}
	follow(chat, map[string]any{"stall": map[string]any{}}) // A model that never responds.
	_, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat})
	if code := status.Code(err); code == codes.DeadlineExceeded {
		fmt.Println("DEADLINE_EXCEEDED")
	} else {
		fmt.Println("status", code)
	}
}
