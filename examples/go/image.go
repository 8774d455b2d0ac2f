package main

import (
	"context"
	"fmt"
	"os"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// image asks about a picture. echo/echo writes its type in place of it.
func image(ctx context.Context, client dragoman.ChatServiceClient) {
	data, err := os.ReadFile("../picture.png")
	check(err)
	picture := &dragoman.Media{MediaType: "image/png", Source: &dragoman.Media_Data{Data: data}}
	message := user("What is in this picture?")
	message.Parts = append(message.Parts, &dragoman.Part{Kind: &dragoman.Part_Media{Media: picture}})
	chat := &dragoman.ChatRequest{Model: "echo/echo", Messages: []*dragoman.Message{message}}
	fmt.Println(textOf(complete(ctx, client, chat).Choices[0].Message))
}
