// Receives OTLP logs over HTTP with the receiver of the OpenTelemetry Collector, and prints each log record as a line of
// JSON. Prints `listening` first. The argument is the address.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	lines := json.NewEncoder(os.Stdout)
	sink, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					lines.Encode(map[string]any{
						"resource":   resource.Resource().Attributes().AsRaw(),
						"scope":      scope.Scope().Name(),
						"time":       record.Timestamp().AsTime(),
						"severity":   record.SeverityNumber().String(),
						"event":      record.EventName(),
						"body":       record.Body().AsRaw(),
						"attributes": record.Attributes().AsRaw(),
					})
				}
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	protocols := map[string]any{"http": map[string]any{"endpoint": os.Args[1]}}
	if err := confmap.NewFromStringMap(map[string]any{"protocols": protocols}).Unmarshal(config); err != nil {
		panic(err)
	}
	receiver, err := factory.CreateLogs(ctx, receivertest.NewNopSettings(factory.Type()), config, sink)
	if err != nil {
		panic(err)
	}
	if err := receiver.Start(ctx, componenttest.NewNopHost()); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("listening\n")
	<-ctx.Done()
	receiver.Shutdown(context.Background())
}
