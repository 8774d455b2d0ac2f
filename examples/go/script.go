package main

import (
	dragoman "dragoman.internal/gen/dragoman/v1"
	"google.golang.org/protobuf/types/known/structpb"
)

// follow makes echo/echo follow a script. Other models need none.
func follow(chat *dragoman.ChatRequest, script map[string]any) {
	fields, err := structpb.NewStruct(script)
	check(err)
	chat.ProviderOptions = map[string]*structpb.Struct{"echo": fields}
}
