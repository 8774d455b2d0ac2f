// A client with the documented service config. Usage: settings HOST:PORT[,HOST:PORT...] CALLS. Makes unary calls and
// then one stream. Prints the status codes, and the number of messages of the stream, as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
)

type streamed struct {
	Code     codes.Code `json:"code"`
	Messages int        `json:"messages"`
}

func main() {
	config, err := os.ReadFile("clients/service-config.json")
	check(err)
	// Stands for a name that resolves to several addresses.
	name := manual.NewBuilderWithScheme("replicas")
	var addresses []resolver.Address
	for _, address := range strings.Split(os.Args[1], ",") {
		addresses = append(addresses, resolver.Address{Addr: address})
	}
	name.InitialState(resolver.State{Addresses: addresses})
	connection, err := grpc.NewClient("replicas:///dragoman",
		grpc.WithResolvers(name),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(string(config)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}))
	check(err)
	defer connection.Close()
	client := dragoman.NewChatServiceClient(connection)

	part := &dragoman.Part{Kind: &dragoman.Part_Text{Text: "hello"}}
	message := &dragoman.Message{Role: dragoman.Role_ROLE_USER, Parts: []*dragoman.Part{part}}
	chat := &dragoman.ChatRequest{Model: "openai/gpt-4o", Messages: []*dragoman.Message{message}}
	calls, err := strconv.Atoi(os.Args[2])
	check(err)
	unary := []codes.Code{}
	for range calls {
		unary = append(unary, complete(client, chat))
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"unary": unary, "stream": stream(client, chat)}))
}

func complete(client dragoman.ChatServiceClient, chat *dragoman.ChatRequest) codes.Code {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := client.CompleteChat(ctx, &dragoman.CompleteChatRequest{Chat: chat})
	return status.Code(err)
}

func stream(client dragoman.ChatServiceClient, chat *dragoman.ChatRequest) (result streamed) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	responses, err := client.StreamChat(ctx, &dragoman.StreamChatRequest{Chat: chat})
	for err == nil {
		_, err = responses.Recv()
		if err == nil {
			result.Messages++
		}
	}
	if !errors.Is(err, io.EOF) {
		result.Code = status.Code(err)
	}
	return result
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
