// Examples of Dragoman in Go: `go run . stream` runs one of them.
package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"strings"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

var examples = map[string]func(context.Context, dragoman.ChatServiceClient){
	"unary":    unary,
	"stream":   stream,
	"tool":     tool,
	"image":    image,
	"schema":   jsonSchema,
	"turns":    turns,
	"deadline": deadline,
	"errors":   errorDetails,
}

func main() {
	if len(os.Args) != 2 || examples[os.Args[1]] == nil {
		log.Fatal("write the name of an example: unary, stream, tool, image, schema, turns, deadline or errors")
	}
	address := os.Getenv("DRAGOMAN_ADDRESS")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(transport()),
		// Most clients reject responses above 4 MiB. Responses with audio or images can be larger.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	check(err)
	defer connection.Close()
	ctx := context.Background()
	if key := os.Getenv("DRAGOMAN_API_KEY"); key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-api-key", key)
	}
	examples[os.Args[1]](ctx, dragoman.NewChatServiceClient(connection))
}

func transport() credentials.TransportCredentials {
	path := os.Getenv("DRAGOMAN_CA")
	if path == "" {
		return insecure.NewCredentials()
	}
	pem, err := os.ReadFile(path)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return credentials.NewClientTLSFromCert(pool, "")
}

// complete makes a call and returns its completion.
func complete(ctx context.Context, client dragoman.ChatServiceClient, chat *dragoman.ChatRequest) *dragoman.ChatCompletion {
	response, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat})
	check(err)
	return response.Completion
}

func user(text string) *dragoman.Message {
	parts := []*dragoman.Part{{Kind: &dragoman.Part_Text{Text: text}}}
	return &dragoman.Message{Role: dragoman.Role_ROLE_USER, Parts: parts}
}

// textOf returns the text of a message. It skips parts of other kinds, also of kinds that later versions add.
func textOf(message *dragoman.Message) string {
	var text strings.Builder
	for _, part := range message.Parts {
		text.WriteString(part.GetText())
	}
	return text.String()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
