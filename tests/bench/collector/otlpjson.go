// The receiver `otlpjson`: spans from files of OTLP JSON lines, out of the parts that the contributed receiver of that
// purpose is made of (the file consumer of stanza, and the collector's own decoder).
package main

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

type otlpJSONConfig struct {
	fileconsumer.Config `mapstructure:",squash"`
	Storage             *component.ID `mapstructure:"storage"`
}

type otlpJSON struct {
	input   *fileconsumer.Manager
	id      component.ID
	storage *component.ID
}

func newOtlpJSON() receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType("otlpjson"),
		func() component.Config { return &otlpJSONConfig{Config: *fileconsumer.NewConfig()} },
		receiver.WithTraces(createOtlpJSON, component.StabilityLevelDevelopment),
	)
}

func createOtlpJSON(
	_ context.Context, set receiver.Settings, config component.Config, next consumer.Traces,
) (receiver.Traces, error) {
	own := config.(*otlpJSONConfig)
	decoder := &ptrace.JSONUnmarshaler{}
	consume := func(ctx context.Context, lines [][]byte, _ map[string]any, _ int64, _ []int64) error {
		for _, line := range lines {
			traces, err := decoder.UnmarshalTraces(line)
			if err != nil {
				set.Logger.Error("a line is no OTLP", zap.Error(err))
				continue
			}
			if traces.SpanCount() > 0 {
				if err := next.ConsumeTraces(ctx, traces); err != nil {
					return err
				}
			}
		}
		return nil
	}
	input, err := own.Build(set.TelemetrySettings, consume)
	return &otlpJSON{input: input, id: set.ID, storage: own.Storage}, err
}

func (o *otlpJSON) Start(ctx context.Context, host component.Host) error {
	client, err := adapter.GetStorageClient(ctx, host, o.storage, o.id)
	if err != nil {
		return err
	}
	return o.input.Start(client)
}

func (o *otlpJSON) Shutdown(context.Context) error { return o.input.Stop() }
