// A small client of Dragoman. It calls the model echo/echo, which needs no provider: echo repeats the last message, or
// follows the script in it.

using Dragoman.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

internal static class Client
{
    private static async Task Main()
    {
        var address = Environment.GetEnvironmentVariable("DRAGOMAN_ADDRESS") ?? "127.0.0.1:50051";
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        var service = new ChatService.ChatServiceClient(channel);
        await UnaryAsync(service);
        await StreamAsync(service);
        await ToolAsync(service);
        await CancelAsync(service);
        await FailureAsync(service);
    }

    private static async Task UnaryAsync(ChatService.ChatServiceClient service)
    {
        var response = await service.CompleteChatAsync(new CompleteChatRequest { Chat = Chat(User("hello, world")) });
        var completion = response.Completion;
        var text = TextOf(completion.Choices[0].Message);
        Console.WriteLine($"unary: {text} ({completion.Usage.OutputTokens} output tokens)");
    }

    private static async Task StreamAsync(ChatService.ChatServiceClient service)
    {
        Console.Write("stream: ");
        using var call = service.StreamChat(new StreamChatRequest { Chat = Chat(User("hello again, world")) });
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            switch (response.EventCase)
            {
                case StreamChatResponse.EventOneofCase.Delta:
                    Console.Write(response.Delta.Text);
                    break;
                case StreamChatResponse.EventOneofCase.Completed:
                    Console.WriteLine($" ({response.Completed.Usage.OutputTokens} output tokens)");
                    break;
            }
        }
    }

    /// <summary>Runs the function that the model calls, and sends its result back.</summary>
    private static async Task ToolAsync(ChatService.ChatServiceClient service)
    {
        var script = """{"echo": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}""";
        var chat = Chat(User(script));
        var getWeather = new FunctionTool
        {
            Name = "get_weather",
            Description = "Returns the current weather of a city.",
            ParametersJsonSchema =
                """{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}""",
        };
        chat.Tools.Add(new Tool { Function = getWeather });
        var response = await service.CompleteChatAsync(new CompleteChatRequest { Chat = chat });
        var answer = response.Completion.Choices[0].Message;
        chat.Messages.Add(answer); // Unchanged: providers need all of its parts back.
        foreach (var part in answer.Parts)
        {
            if (part.KindCase != Part.KindOneofCase.ToolCall) continue;
            Console.WriteLine($"tool call: {part.ToolCall.Name} {part.ToolCall.ArgumentsJson}");
            chat.Messages.Add(ToolResultMessage(part.ToolCall.Id, "18 degrees and sunny"));
        }
        response = await service.CompleteChatAsync(new CompleteChatRequest { Chat = chat });
        Console.WriteLine($"tool answer: {TextOf(response.Completion.Choices[0].Message)}");
    }

    /// <summary>Cancels a stream at its first delta. Dragoman then aborts the upstream request.</summary>
    private static async Task CancelAsync(ChatService.ChatServiceClient service)
    {
        var chat = Chat(User("""{"echo": {"deltas": ["one", "two"], "stall": {"after": 1}}}"""));
        using var cancellation = new CancellationTokenSource();
        using var call = service.StreamChat(
            new StreamChatRequest { Chat = chat }, cancellationToken: cancellation.Token);
        var text = "";
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync())
            {
                if (response.EventCase != StreamChatResponse.EventOneofCase.Delta) continue;
                text += response.Delta.Text;
                cancellation.Cancel();
            }
        }
        catch (RpcException exception)
        {
            Console.WriteLine($"cancel: status {(int)exception.StatusCode} after {text}");
        }
    }

    /// <summary>Sends an invalid request and prints the details of the error.</summary>
    private static async Task FailureAsync(ChatService.ChatServiceClient service)
    {
        var chat = Chat(User("hello"));
        chat.Parameters = new GenerationParameters { Temperature = 3 };
        try
        {
            await service.CompleteChatAsync(new CompleteChatRequest { Chat = chat });
        }
        catch (RpcException exception)
        {
            Console.WriteLine($"error: status {(int)exception.StatusCode}");
            var status = exception.GetRpcStatus();
            if (status?.GetDetail<ErrorInfo>() is { } info) Console.WriteLine($"reason: {info.Domain} {info.Reason}");
            if (status?.GetDetail<BadRequest>() is { } badRequest)
            {
                foreach (var violation in badRequest.FieldViolations)
                    Console.WriteLine($"violation: {violation.Field}: {violation.Description}");
            }
            if (status?.GetDetail<CallInfo>() is { } call) Console.WriteLine($"call: {call.CallId}");
        }
    }

    private static ChatRequest Chat(Message message) => new() { Model = "echo/echo", Messages = { message } };

    private static Message User(string text) => new() { Role = Role.User, Parts = { new Part { Text = text } } };

    private static Message ToolResultMessage(string id, string text)
    {
        var result = new ToolResult { ToolCallId = id, Parts = { new ToolResultPart { Text = text } } };
        return new Message { Role = Role.Tool, Parts = { new Part { ToolResult = result } } };
    }

    /// <summary>
    /// Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add.
    /// </summary>
    private static string TextOf(Message message) =>
        string.Concat(message.Parts.Where(part => part.KindCase == Part.KindOneofCase.Text).Select(part => part.Text));
}
