package api

import (
	"context"
	"time"

	"aparte/signaling/health"
)

// Health looks at the server.
type Health interface {
	// Report answers within seconds, whatever does not answer it.
	Report(ctx context.Context) (health.Report, error)
}

// ServerHealth is how the server is.
type ServerHealth struct {
	MeasuredAt time.Time       `json:"measured_at" doc:"Who asks within some seconds gets the same."`
	Findings   []HealthFinding `json:"findings" nullable:"false" doc:"By area, in the order in which they are to be read."`
}

// HealthFinding is one thing that is so.
type HealthFinding struct {
	Area   string        `json:"area" enum:"server,database,disk,media,ways,certificate,clock,recordings" doc:"ways: by which media comes in."`
	Level  string        `json:"level" enum:"fine,attention,broken,unknown" doc:"attention: works, but not for long or not for all. unknown: could not be measured."`
	Code   string        `json:"code" doc:"What is found; docs/operating.md says what each means and what to do."`
	Values []HealthValue `json:"values" nullable:"false"`
}

// HealthValue is a figure of a finding: a number, a text or a moment, as its unit says.
type HealthValue struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit" enum:"bytes,milliseconds,seconds,days,percent,count,text,moment"`
	Number *float64   `json:"number,omitempty"`
	Text   *string    `json:"text,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

func (a *API) getHealth(ctx context.Context, _ *none) (*output[ServerHealth], error) {
	report, err := a.health.Report(ctx)
	if err != nil {
		return nil, err
	}
	told := ServerHealth{MeasuredAt: report.At.UTC(), Findings: make([]HealthFinding, len(report.Findings))}
	for i, f := range report.Findings {
		told.Findings[i] = HealthFinding{Area: string(f.Area), Level: string(f.Level), Code: string(f.Code), Values: make([]HealthValue, len(f.Values))}
		for j, v := range f.Values {
			told.Findings[i].Values[j] = healthValueOf(v)
		}
	}
	return &output[ServerHealth]{told}, nil
}

func healthValueOf(v health.Value) HealthValue {
	told := HealthValue{Name: v.Name, Unit: string(v.Unit)}
	switch v.Unit {
	case health.Text:
		told.Text = &v.Text
	case health.Moment:
		at := v.At.UTC()
		told.At = &at
	default:
		told.Number = &v.Number
	}
	return told
}
