package main

import (
	"context"
	"fmt"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// tool runs the function that the model calls, and sends its result back.
func tool(ctx context.Context, client dragoman.ChatServiceClient) {
	getWeather := &dragoman.FunctionTool{
		Name:                 "get_weather",
		Description:          "Returns the weather of a city.",
		ParametersJsonSchema: `{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}`,
	}
	chat := &dragoman.ChatRequest{
		Model:    "echo/echo",
		Messages: []*dragoman.Message{user("What is the weather in Paris?")},
		Tools:    []*dragoman.Tool{{Kind: &dragoman.Tool_Function{Function: getWeather}}},
	}
	arguments := map[string]any{"city": "Paris"}
	follow(chat, map[string]any{"tool_calls": []any{map[string]any{"name": "get_weather", "arguments": arguments}}})
	answer := complete(ctx, client, chat).Choices[0].Message
	chat.ProviderOptions = nil

	// The message of the model goes back unchanged: providers need all of its parts.
	chat.Messages = append(chat.Messages, answer)
	for _, part := range answer.Parts {
		if call := part.GetToolCall(); call != nil {
			fmt.Println(call.Name, call.ArgumentsJson)
			chat.Messages = append(chat.Messages, toolResult(call.Id, "18 degrees and sunny"))
		}
	}
	fmt.Println(textOf(complete(ctx, client, chat).Choices[0].Message))
}

func toolResult(id, text string) *dragoman.Message {
	parts := []*dragoman.ToolResultPart{{Kind: &dragoman.ToolResultPart_Text{Text: text}}}
	result := &dragoman.Part_ToolResult{ToolResult: &dragoman.ToolResult{ToolCallId: id, Parts: parts}}
	return &dragoman.Message{Role: dragoman.Role_ROLE_TOOL, Parts: []*dragoman.Part{{Kind: result}}}
}
