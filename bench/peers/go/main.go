// A minimal gateway with the contract of Dragoman, in grpc-go, to compare Dragoman with: it forwards the text of the
// messages to an OpenAI-compatible provider, and returns the text, the finish reason and the usage. It has no
// validation, keys, limits, records or metrics. Usage: gateway PROVIDER_BASE_URL PORT
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatRequest struct {
	Model         string         `json:"model"`
	Messages      []message      `json:"messages"`
	Stream        bool           `json:"stream,omitempty"`
	StreamOptions *streamOptions `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type usage struct {
	PromptTokens     int32 `json:"prompt_tokens"`
	CompletionTokens int32 `json:"completion_tokens"`
	TotalTokens      int32 `json:"total_tokens"`
}

type completion struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Choices []struct {
		Message      message `json:"message"`
		Delta        message `json:"delta"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type gateway struct {
	dragoman.UnimplementedChatServiceServer
	url    string
	client *http.Client
}

var roles = map[dragoman.Role]string{
	dragoman.Role_ROLE_SYSTEM:    "system",
	dragoman.Role_ROLE_USER:      "user",
	dragoman.Role_ROLE_ASSISTANT: "assistant",
}

func (g *gateway) ask(ctx context.Context, chat *dragoman.ChatRequest, stream bool) (*http.Response, error) {
	asked := chatRequest{Model: strings.TrimPrefix(chat.Model, "openai/"), Stream: stream}
	if stream {
		asked.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	for _, one := range chat.Messages {
		var text strings.Builder
		for _, part := range one.Parts {
			text.WriteString(part.GetText())
		}
		asked.Messages = append(asked.Messages, message{Role: roles[one.Role], Content: text.String()})
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	request.Header.Set("content-type", "application/json")
	request.Header.Set("authorization", "Bearer bench")
	response, err := g.client.Do(request)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, status.Error(codes.Unavailable, response.Status)
	}
	return response, nil
}

func usageOf(u *usage) *dragoman.Usage {
	if u == nil {
		return nil
	}
	return &dragoman.Usage{InputTokens: u.PromptTokens, OutputTokens: u.CompletionTokens, TotalTokens: u.TotalTokens}
}

func textPart(text string) *dragoman.Part {
	return &dragoman.Part{Kind: &dragoman.Part_Text{Text: text}}
}

func (g *gateway) CompleteChat(ctx context.Context, in *dragoman.CompleteChatRequest) (*dragoman.CompleteChatResponse, error) {
	response, err := g.ask(ctx, in.Chat, false)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer completion
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	io.Copy(io.Discard, response.Body)
	out := &dragoman.ChatCompletion{Id: answer.ID, Model: answer.Model, Usage: usageOf(answer.Usage)}
	for index, choice := range answer.Choices {
		out.Choices = append(out.Choices, &dragoman.Choice{
			Index:        int32(index),
			Message:      &dragoman.Message{Role: dragoman.Role_ROLE_ASSISTANT, Parts: []*dragoman.Part{textPart(choice.Message.Content)}},
			FinishReason: dragoman.FinishReason_FINISH_REASON_STOP,
		})
	}
	return &dragoman.CompleteChatResponse{Completion: out}, nil
}

func (g *gateway) StreamChat(in *dragoman.StreamChatRequest, out grpc.ServerStreamingServer[dragoman.StreamChatResponse]) error {
	response, err := g.ask(out.Context(), in.Chat, true)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	seq := int32(0)
	send := func(event *dragoman.StreamChatResponse) error {
		seq++
		event.Seq = seq
		return out.Send(event)
	}
	if err := send(&dragoman.StreamChatResponse{Event: &dragoman.StreamChatResponse_Started{Started: &dragoman.ChatStarted{}}}); err != nil {
		return err
	}
	done := &dragoman.ChatCompleted{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, found := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !found {
			continue
		}
		if string(data) == "[DONE]" {
			return send(&dragoman.StreamChatResponse{Event: &dragoman.StreamChatResponse_Completed{Completed: done}})
		}
		var chunk completion
		if err := json.Unmarshal(data, &chunk); err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		if chunk.Usage != nil {
			done.Usage = usageOf(chunk.Usage)
		}
		for _, choice := range chunk.Choices {
			if choice.Delta.Content != "" {
				delta := &dragoman.PartDelta{Delta: &dragoman.PartDelta_Text{Text: choice.Delta.Content}}
				if err := send(&dragoman.StreamChatResponse{Event: &dragoman.StreamChatResponse_Delta{Delta: delta}}); err != nil {
					return err
				}
			}
			if choice.FinishReason != "" {
				finished := &dragoman.ChoiceFinished{FinishReason: dragoman.FinishReason_FINISH_REASON_STOP}
				if err := send(&dragoman.StreamChatResponse{Event: &dragoman.StreamChatResponse_Finished{Finished: finished}}); err != nil {
					return err
				}
			}
		}
	}
	return status.Error(codes.Unavailable, "the stream ended early")
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	dragoman.RegisterChatServiceServer(server, &gateway{url: os.Args[1] + "/chat/completions", client: client})
	log.Fatal(server.Serve(listener))
}
