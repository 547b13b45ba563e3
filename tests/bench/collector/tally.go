// The exporter `tally`: says at once what has arrived, so that a kill of the collector takes nothing from it.
//
// Bodies of log records are appended to a file, a line each and a write for each batch, before the batch is acknowledged.
// Of spans and data points only the number so far stands in it.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type tallyConfig struct {
	Path string `mapstructure:"path"`
}

type tally struct {
	component.StartFunc
	component.ShutdownFunc
	file  *os.File
	total atomic.Int64
}

func newTally() exporter.Factory {
	return exporter.NewFactory(
		component.MustNewType("tally"),
		func() component.Config { return &tallyConfig{} },
		exporter.WithLogs(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Logs, error) {
			return openTally(config, os.O_APPEND)
		}, component.StabilityLevelDevelopment),
		exporter.WithTraces(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Traces, error) {
			return openTally(config, 0)
		}, component.StabilityLevelDevelopment),
		exporter.WithMetrics(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Metrics, error) {
			return openTally(config, 0)
		}, component.StabilityLevelDevelopment),
	)
}

func openTally(config component.Config, flag int) (*tally, error) {
	file, err := os.OpenFile(config.(*tallyConfig).Path, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	return &tally{file: file}, err
}

func (*tally) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (t *tally) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	var lines []byte
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				lines = append(append(lines, record.Body().AsString()...), '\n')
			}
		}
	}
	_, err := t.file.Write(lines)
	return err
}

func (t *tally) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	return t.add(traces.SpanCount())
}

func (t *tally) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	return t.add(metrics.DataPointCount())
}

func (t *tally) add(count int) error {
	_, err := t.file.WriteAt(fmt.Appendf(nil, "%20d\n", t.total.Add(int64(count))), 0)
	return err
}
