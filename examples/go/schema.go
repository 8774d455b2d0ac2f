package main

import (
	"context"
	"encoding/json"
	"fmt"

	dragoman "dragoman.internal/gen/dragoman/v1"
)

// jsonSchema gets JSON of a schema. A response that is not such JSON fails with JSON_GENERATION_FAILED.
func jsonSchema(ctx context.Context, client dragoman.ChatServiceClient) {
	schema := &dragoman.JsonSchema{Name: "city", SchemaJson: `{
		"type": "object",
		"properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
		"required": ["city", "population"]
	}`}
	chat := &dragoman.ChatRequest{
		Model:        "echo/echo",
		Messages:     []*dragoman.Message{user("Paris, as JSON")},
		OutputFormat: &dragoman.OutputFormat{Format: &dragoman.OutputFormat_JsonSchema{JsonSchema: schema}},
	}
	follow(chat, map[string]any{"text": `{"city": "Paris", "population": 2100000}`})
	var city struct {
		City       string
		Population int
	}
	check(json.Unmarshal([]byte(textOf(complete(ctx, client, chat).Choices[0].Message)), &city))
	fmt.Printf("%s has %d inhabitants\n", city.City, city.Population)
}
