package main

import (
	"context"
	"fmt"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// errorDetails reads the details of an error: a reason for programs, and each wrong field with what is wrong.
func errorDetails(ctx context.Context, client dragoman.ChatServiceClient) {
	chat := &dragoman.ChatRequest{
		Model:      "echo/echo",
		Messages:   []*dragoman.Message{user("hello")},
		Parameters: &dragoman.GenerationParameters{Temperature: proto.Float64(3)},
	}
	_, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat})
	failed := status.Convert(err)
	for _, detail := range failed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Println(code.Code(failed.Code()), detail.Reason)
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				fmt.Printf("%s: %s\n", violation.Field, violation.Description)
			}
		}
	}
}
