// Receives OTLP over HTTP with the receiver of the OpenTelemetry Collector, and prints each log record, span and metric as
// a line of JSON. Prints `listening` first. The argument is the address.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"sync"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// Prints lines, one at a time: an exporter sends traces and metrics at the same time.
type printer struct {
	lock  sync.Mutex
	lines *json.Encoder
}

func (p *printer) print(line map[string]any) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.lines.Encode(line)
}

func (p *printer) logs(_ context.Context, logs plog.Logs) error {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				p.print(map[string]any{
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
}

func (p *printer) traces(_ context.Context, traces ptrace.Traces) error {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				events := []string{}
				for _, event := range span.Events().All() {
					events = append(events, event.Name())
				}
				p.print(map[string]any{
					"resource":   resource.Resource().Attributes().AsRaw(),
					"scope":      scope.Scope().Name(),
					"span":       span.Name(),
					"kind":       span.Kind().String(),
					"trace":      span.TraceID().String(),
					"id":         span.SpanID().String(),
					"parent":     span.ParentSpanID().String(),
					"status":     span.Status().Code().String(),
					"events":     events,
					"attributes": span.Attributes().AsRaw(),
				})
			}
		}
	}
	return nil
}

func (p *printer) metrics(_ context.Context, metrics pmetric.Metrics) error {
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				line := map[string]any{
					"scope":  scope.Scope().Name(),
					"metric": metric.Name(),
					"unit":   metric.Unit(),
					"type":   metric.Type().String(),
				}
				switch metric.Type() {
				case pmetric.MetricTypeSum:
					line["temporality"] = metric.Sum().AggregationTemporality().String()
					line["points"] = numbers(metric.Sum().DataPoints())
				case pmetric.MetricTypeGauge:
					line["points"] = numbers(metric.Gauge().DataPoints())
				case pmetric.MetricTypeHistogram:
					line["temporality"] = metric.Histogram().AggregationTemporality().String()
					line["points"] = histograms(metric.Histogram().DataPoints())
				}
				p.print(line)
			}
		}
	}
	return nil
}

func numbers(points pmetric.NumberDataPointSlice) []map[string]any {
	lines := []map[string]any{}
	for _, point := range points.All() {
		value := point.DoubleValue()
		if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(point.IntValue())
		}
		lines = append(lines, pointOf(point.Attributes(), value))
	}
	return lines
}

func histograms(points pmetric.HistogramDataPointSlice) []map[string]any {
	lines := []map[string]any{}
	for _, point := range points.All() {
		line := pointOf(point.Attributes(), float64(point.Count()))
		line["buckets"] = point.BucketCounts().AsRaw()
		lines = append(lines, line)
	}
	return lines
}

func pointOf(attributes pcommon.Map, value float64) map[string]any {
	return map[string]any{"attributes": attributes.AsRaw(), "value": value}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := &printer{lines: json.NewEncoder(os.Stdout)}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	protocols := map[string]any{"http": map[string]any{"endpoint": os.Args[1]}}
	check(confmap.NewFromStringMap(map[string]any{"protocols": protocols}).Unmarshal(config))
	settings := receivertest.NewNopSettings(factory.Type())
	logs, err := consumer.NewLogs(out.logs)
	check(err)
	traces, err := consumer.NewTraces(out.traces)
	check(err)
	metrics, err := consumer.NewMetrics(out.metrics)
	check(err)
	// The three receivers are one, since they have the same configuration.
	receiver, err := factory.CreateLogs(ctx, settings, config, logs)
	check(err)
	_, err = factory.CreateTraces(ctx, settings, config, traces)
	check(err)
	_, err = factory.CreateMetrics(ctx, settings, config, metrics)
	check(err)
	check(receiver.Start(ctx, componenttest.NewNopHost()))
	os.Stdout.WriteString("listening\n")
	<-ctx.Done()
	receiver.Shutdown(context.Background())
}
